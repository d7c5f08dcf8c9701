"""When runs happen, on which Prefect server, and how a dataset is doing."""
