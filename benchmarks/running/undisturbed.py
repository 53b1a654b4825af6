"""The fork server imports this file before any other, so that it, and each worker that begins as a copy of it, leaves Ctrl-C alone.

Ctrl-C reaches the whole group of a terminal, also while the server is still reading torch; the launcher decides what becomes of it.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
