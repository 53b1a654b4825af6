"""Pathfinder: do two discs lie on one dashed curve; drawn here or read from the official files."""
