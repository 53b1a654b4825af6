"""What is measured, with which recipe, against which published number, and how a number comes to exist.

spec.py         RunSpec, everything that can change a number, and its id; Scale
setting.py      Setting: a network and its training, without the row that stands in it
recipe.py       Recipe, and Row: (benchmark, scale, paper) -> setting, data, source, notes
benchmark.py    Benchmark: a task with its table of rows, and the numbers published for it
papers.py       what the settings of one paper have in common, whatever the task
quick.py        the small network of every task at quick scale
lra.py          how the papers set up the Long Range Arena
changes.py      fields of a RunSpec changed by their dotted names
digits.py       the benchmarks, a file a family: digits that need no download
images.py         LRA Image, sequential and noise-padded CIFAR-10, sequential MNIST
tokens.py         LRA ListOps, Text and Retrieval, and pairs of film reviews
pathfinder.py     LRA Pathfinder and Path-X, and two further sizes
speech.py         Speech Commands: ten words, ten as coefficients, 35
biosignals.py     BIDMC: respiratory rate, heart rate, oxygen saturation
probes.py         probes of memory and capacity
published/      numbers that others printed, a file a paper
registry.py     BENCHMARKS, FAMILIES, and how somebody selects among them
running/        how a run comes to be a record: run, record, checkpoint, launch, screen, loggers, environment, throughput
cli.py          exit codes and one-paragraph errors, for every command line of the suite
doctor.py       what of this machine does not fit, with the remedy
__main__.py     python -m benchmarks NAME
"""
