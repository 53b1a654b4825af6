"""Files on disk: where data sets lie, how official files are got and verified, and how prepared arrays are kept."""
