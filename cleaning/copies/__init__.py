"""Which texts are copies of which: sampled shingles, candidate pairs, alignments, clusters."""
