"""Which articles are copies of known ones: the index of all that a dataset has seen, and what follows from it."""
