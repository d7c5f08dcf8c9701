"""What people do to a dataset and ask of it: takedowns, labels, history, rows derived again, explanations."""
