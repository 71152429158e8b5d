"""Files that leave the data folder, and that none replaces what is not its own."""
