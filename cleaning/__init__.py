"""Bytes in, records out: a fetched page becomes a clean article, and is told what it is like; pure functions only."""
