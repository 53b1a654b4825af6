"""What is measured, with which recipe, and how a number comes to exist.

spec.py         RunSpec (everything that can change a number) and its id, Recipe, Benchmark, Published
pixels.py       the digits benchmarks
images.py       LRA Image, sequential and noise-padded CIFAR-10, sequential MNIST
registry.py     BENCHMARKS
rebuild.py      a record's spec back into the RunSpec it was made with
running/        how a run comes to be a record
cli.py          the flags and lists of words that several command lines have in common
"""
