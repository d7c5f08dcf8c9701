"""Copies of the published dataset elsewhere: on S3-compatible storage and on the Hugging Face Hub."""
