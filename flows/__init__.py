"""What runs and what comes out: stages, schedules, published datasets and the command line."""
