"""Grids over the recipes of benchmarks: a file each, found by being there. A cell is a RunSpec, so equal cells are one run.

grid.py      Ablation, Factor, Cell: what a grid is
registry.py  ABLATIONS, every grid by name
sweep.py     a grid made from a line of text, without a file

core.py            init x discretization x real or complex state of S4D, with reference rows
init.py            initial spectra, and their parts scaled or drawn
discretization.py  rules of discretization x links of Re(A): does it matter?
real_complex.py    complex modes against as many real states, and as many real modes
trainability.py    A, B and dt trained or frozen
kernel.py          Vandermonde against softmax, B trained or frozen
timescale.py       range, link and number of step sizes; copies of A
stability.py       links of Re(A) under large rates
block.py           norm, mixing, directions, dropout, depth at equal parameters
rates.py           every row at its best rate, the same tries for all
short.py           LRA Image for a few epochs, on a card that is at hand for minutes
noise.py           step sizes on noise-padded CIFAR-10
noise_length.py    how far each row remembers, as the noise grows longer
readout.py         where the class is read, on signals followed by noise
"""
