"""What the seeds are about: how like them a text is, and where the topic ends."""
