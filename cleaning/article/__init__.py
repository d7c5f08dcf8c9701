"""Blocks to text: which blocks of a page are its article, and which lines are furniture all the same."""
