"""How a run comes to be a record: `run` trains it, `launch` runs many side by side, `record` keeps what they leave behind."""
