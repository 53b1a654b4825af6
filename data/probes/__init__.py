"""Probes of memory and capacity: small tasks made afresh in every epoch, each in a file of its own.

To add one: a file with a subclass of `ProbeSpec`, whose docstrings in `base` say what it has to define, and its row in
benchmarks/tasks/probes.py, from which whoever shows all probes knows it.
"""
