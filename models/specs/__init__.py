"""What a run is made of, as frozen plain values: a file per paper, and the network, the optimizer and its schedules.

Each imports what it builds when it builds it: torch takes seconds to import, and a list or a report does without.
"""
