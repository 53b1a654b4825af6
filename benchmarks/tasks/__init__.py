"""The tasks: a file for each family of benchmarks, with a row for every way in which a paper sets it up."""
