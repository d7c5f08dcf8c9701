"""What a page says of its article: title, authors, times, subject and rights."""
