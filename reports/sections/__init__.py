"""The sections of reports, a file each: its tables, its figures and their words together, as functions from runs to a Section.

results.py    a row per variant: scores, intervals, costs       family.py     several benchmarks side by side
examples.py   rows compared example by example                  matrix.py     every row on every benchmark, with mean shares
training.py   learning curves                                   grid.py       every cell of a grid
inside.py     kernels, memory, eigenvalues, singular values     effects.py    what each factor of a grid moves
published.py  what others printed                               along.py      a grid along a factor whose levels have an order
tuned.py      rows at the best of the rates they tried          ends.py       from the first of those levels to the last
speed.py      times, ratios and memory of a session             early.py      a grid after a few epochs
profile.py    the parts of a training step                      speed_curves.py  time against length, channels and state size
"""
