"""Bytes to blocks: a fetched page decoded, its visible text taken apart, and what kind of page it says that it is."""
