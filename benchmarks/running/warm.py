"""What every run needs and finds made: the fork server imports this file once, and each worker begins as a copy of it.

A run has a process of its own, so that a crash costs one run, memory is counted from nothing and nothing of the run before is left. Such
a process is cheap where it has nothing to read: not the sources, whose hash stands in its record, nor the modules of the layers. What the
record then names is the code that runs, whatever was edited in the meantime. No thread is started here, and no number drawn.
"""

import importlib
import pkgutil
from contextlib import suppress

import sklearn.datasets  # noqa: F401 the digits are read with it

import benchmarks.running.run  # noqa: F401 torch, Lightning and the layers
import models
from benchmarks.running.environment import Runtime, describe

for module in pkgutil.iter_modules(models.__path__, "models."):
    importlib.import_module(module.name)
with suppress(OSError, SyntaxError):  # a source that is being saved just now; a worker that needs it looks itself
    describe(Runtime())
