"""The error of a wrong name or value, which a command says in a sentence: apart, since a machine without tyro has to be told so too."""

from __future__ import annotations


class UsageError(Exception):
    """What was asked for cannot be: one paragraph with the nearest valid name. No ValueError, which tyro would draw a box around."""
