"""Network in, WARC out: finds and fetches candidate articles; the only package that opens sockets."""
