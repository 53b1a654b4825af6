"""One prepared command for a card that is at hand for minutes: tests, speed and evidence, and the way there and back.

check.py       the steps under one clock: tests on the device, bandwidth, speed, runs; what comes of each
bandwidth.py   the memory bandwidth of the card, and how near to it a layer comes
parcel.py      what travels: a packed data set there, a folder of a few files back
__main__.py    python -m benchmarks.cuda check | pack | take
"""
