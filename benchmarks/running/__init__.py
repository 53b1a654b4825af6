"""How a run comes to be a record.

run.py          run(spec, runtime, store) -> Record: the only way to a number
callbacks.py    what watches it: losses that are not finite, the best epoch, the history
checkpoint.py   the state of a run after an epoch, from which one that was broken off goes on
record.py       Record: the format of what a run leaves behind
beside.py       StoredRecord, and the files beside a record: arrays, weights, predictions
weights.py      the trained network as model.safetensors, and back
predictions.py  what it answers on the test set, example by example
lookup.py       which record somebody means
store.py        Store: the folders that keep records, written last, atomically, verified when read
jobs.py         from the flags of a command to a launch, and the equivalent command
launch.py       a list of runs, each made once, resumable at any moment
todo.py         what of it there is to do
pool.py         where they are made: the processes of this machine
undisturbed.py  Ctrl-C is left to the launcher, from the first line that such a process reads
warm.py         what each of these finds made: imports, and the hash of the sources
worker.py       the life of one of them
cluster.py      ClusterPool, what such places on other machines share: ray_pool.py, slurm_pool.py
order.py        a run that is made there: what is sent, and what comes back
screen.py       what a launch shows while it works
estimate.py     how long runs will take, from what records of this machine took; and plans
trial.py        the same from a few steps, where there is no record
tally.py        how many runs are done, own records apart from committed ones
environment.py  code version, library versions, device, memory: what is recorded and not hashed
loggers.py      TensorBoard, W&B, CSV and MLflow on request
throughput.py   how many samples per second the loaders feed
"""
