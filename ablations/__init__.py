"""Grids over the recipes of benchmarks: a file each, found by being there. A cell is a RunSpec, so equal cells are one run.

grid.py      Ablation, Factor, Cell: what a grid is
core.py      init x discretization x real or complex state of S4D, with reference rows
noise.py     step sizes on noise-padded CIFAR-10
readout.py   where the class is read, on noise-padded CIFAR-10
registry.py  ABLATIONS, every grid by name
"""
