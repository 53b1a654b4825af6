"""Data sets as LightningDataModules. Knows nothing of models; what passes to them is a `Signature` of plain numbers.

base.py      DataSpec, Signature, DataError
sampling.py  split, order of an epoch and noise as pure functions of integers
module.py    SplitModule, the one LightningDataModule: arrays in memory, batches made vectorised
files.py     data root, verified downloads, arrays prepared once and memory-mapped
digits.py    sequential and noise-padded handwritten digits (no download)
images.py    the literature's split and fixed subsets, shared by cifar.py and mnist.py
cifar.py     CIFAR-10 in colour or grey, alone or followed by noise
mnist.py     MNIST in row or bit-reversal order
"""
