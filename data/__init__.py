"""Data sets as LightningDataModules. Knows nothing of models; what passes to them is a `Signature` of plain numbers.

What every set is made of:
    base        DataSpec, Signature, DataError          subsets    SplitSpec: prepared once, split, or a fixed part of it
    module      SplitModule, the one LightningDataModule, whose batches are made vectorised, of like length where lengths differ
    sampling    split, order of an epoch and noise as pure functions of integers
    files       data root, verified downloads, arrays prepared once and memory-mapped        archives   tar files that are never unpacked
    ragged      rows of different length                 text       characters and bytes     towers     two texts a sample
    protocol    choices of protocol by name              card       what to know of a set    registry   all sets by name
    progress    how far long work has come

The sets; X_release reads what the publisher released, X_generator makes it, X_statistics compares the two:
    digits      sequential and noise-padded digits, embedded
    images      what the next two share                  cifar      CIFAR-10                 mnist      MNIST
    listops     nested expressions                       imdb       film reviews             imdb_pairs of one film, or of two
    aan         pairs of papers                          pathfinder (and pathfinder_drawing, pathfinder_shards) dashed curves
    speech      Speech Commands (wav, mfcc)              bidmc      vital signs (tsfile)
    probe, synthetic    delay, copying, selective copying, induction, associative recall
"""
