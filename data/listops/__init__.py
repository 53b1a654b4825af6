"""ListOps: nested lists of operations on digits, generated here or read from the official files."""
