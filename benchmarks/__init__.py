"""Speed and quality beside the peers; not part of the test run."""
