"""How fast the layers are, beside the textbook algorithms in plain torch, on this machine.

case.py        Case, one piece of work at one size; and what measuring it gave
textbook.py    the algorithms as the papers' public code performs them without compiled extensions: what is compared with
public.py      implementations that a user would pick instead, where they are installed
work.py        from a case to the function that is timed
measure.py     time and memory of such a function
anchor.py      whether the textbook code is as fast as the public code is known to be
sizes.py       the rows and sizes that are measured
plan.py        which cases are measured, and what each is expected to cost
targets.py     the ratios that are asked for
session.py     all cases of a plan, side by side, within a number of minutes
command.py      the command: anchor, plan, record, and what the terminal is told
base.py         the same cases by the code of an older commit
worker.py       a process that measures for another
results.py      the timings of a session by their case, and the ratios between them
record.py       what is kept of a session
engines.py      the table by which layers choose how they are computed, from the points of a session
allocation.py   how the C library keeps memory: settled before the process begins
__main__.py     python -m benchmarks.speed

Where the time of a training step goes: profile.py is the command (python -m benchmarks.speed.profile), profiled.py trains and looks,
shares.py sorts what torch's profiler saw into parts, profile_record.py is what is kept.
"""
