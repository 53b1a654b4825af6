"""What is measured, with which recipe, and how a number comes to exist.

spec.py         RunSpec (everything that can change a number) and its id, Recipe, Benchmark, Published
run.py          run(spec, runtime, store) -> Record: the only way to a number
checkpoint.py   the state of a run after an epoch, from which a broken off run goes on
loggers.py      TensorBoard and W&B on request
record.py       Record, and the Store that keeps it: written last, atomically, verified when read
environment.py  code version, library versions, device, memory: what is recorded and not hashed
launch.py       a list of runs over a local pool of processes, resumable at any moment
pixels.py       the digits benchmarks
images.py       LRA Image, sequential and noise-padded CIFAR-10, sequential MNIST
registry.py     BENCHMARKS
cli.py          exit codes and one-paragraph errors, for every command line of the suite
"""
