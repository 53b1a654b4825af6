"""Data sets as LightningDataModules. Knows nothing of models; what passes to them is a `Signature` of plain numbers.

What every set is made of:
    base        DataSpec, Signature, DataError           subsets     SplitSpec: prepared once and split, or a fixed part of it; RaggedSpec
    module      SplitModule, the one LightningDataModule, whose batches are made vectorised, of like length where lengths differ
    sampling    split, order of an epoch and noise as pure functions of integers
    protocol    choices of protocol by name              ragged      rows of different length in one flat array
    signals     Ctrl-C while a command is still loading  command     exit codes, errors and flags of every command line
    card        what to know of a set                    comparison  generated data beside the original program's
    registry    SETS: every set with files or a generator, by name
    files/      root (where data lie, and room there), regular (the one reader of others' files), request (of a stranger's server),
                official (downloads and checksums), prepared (arrays made once and memory-mapped), packed (those in a file to carry),
                archives (tar files that are never unpacked), digests (checksums and keys), progress (how far long work has come)

The sets, a folder for each family. `spec` is the data set, `release` reads what the publisher released, `generator` makes it anew, and
`statistics` compares the two:
    images/     cifar, mnist, digits (embedded), and split, what the first two share
    texts/      imdb and imdb_release (film reviews), imdb_pairs (of one film, or of two), aan and aan_release (pairs of papers),
                vocabulary (characters and bytes), towers (two texts a sample)
    listops/    spec, release, generator, statistics, and vocabulary
    pathfinder/ spec, release, generator, statistics, drawing (dashes and discs), and shards (the generated set on disk)
    speech/     spec, release, wav, and mfcc
    bidmc/      spec, release, splits, and tsfile (the files of the TSER archive)
    probes/     tasks made afresh in every epoch, a file each: delay, copying, selective_copying, induction, mqar

To add a data set: a folder or file with a `SplitSpec`, which has a card, a signature, and `load`, `opened`, `plan` and `build`; and its row
in `registry`. To add a probe: a file with a `ProbeSpec`.
"""
