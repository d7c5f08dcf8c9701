"""From what runs have found to the next published version: changes, checks, shards, manifest, card and report."""
