"""What spreads the parts of a run over processes or a cluster: the same rows, in the same files, as without."""
