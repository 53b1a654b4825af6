"""Data sets as LightningDataModules. Knows nothing of models; what passes to them is a `Signature` of plain numbers.

base.py      DataSpec, Signature, DataError
sampling.py  split, order of an epoch and noise as pure functions of integers
module.py    SplitModule, the one LightningDataModule: arrays in memory, batches made vectorised
digits.py    sequential and noise-padded handwritten digits (no download)
"""
