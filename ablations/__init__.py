"""Grids over specs: each file holds one, as a table of cells; a cell is a RunSpec, so equal cells of different grids are one run.

grid.py      Ablation, Cell, Factor, vary
core.py      the core grid: init x discretization x real or complex state of S4D, with reference rows
noise.py     step size, and place of the read-out, on noise-padded CIFAR-10
registry.py  ABLATIONS
"""
