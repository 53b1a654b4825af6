"""How fast the layers are, beside the textbook algorithms in plain torch, on this machine.

case.py        Case, one piece of work at one size; and what measuring it gave
textbook.py    the algorithms as the papers' public code performs them without compiled extensions: what is compared with
public.py      implementations that a user would pick instead, where they are installed
work.py        from a case to the function that is timed
measure.py     time and memory of such a function
anchor.py      whether the textbook code is as fast as the public code is known to be
plan.py        which cases are measured, and what each is expected to cost
targets.py     the ratios that are asked for
session.py     all cases of a plan, side by side, within a number of minutes
base.py        the same cases by the code of an older commit
worker.py      a process that measures for another
record.py      what is kept of a session
profile.py     where the time of a training step goes: python -m benchmarks.speed.profile
__main__.py    python -m benchmarks.speed
"""
