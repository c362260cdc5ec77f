"""Matrix: an application service on the company's own homeserver."""
