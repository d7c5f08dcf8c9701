"""Bytes in, records out: what turns a fetched page into a clean article and tells what it is like; pure functions only."""
