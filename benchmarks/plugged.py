"""The parent of every plugin's module. Importing it loads the plugins that SSM_PLUGINS names: a worker does when it is sent one of their
classes, which it would not find otherwise."""

from benchmarks import plugins

plugins.load()
