"""Bluesky and every other server of the AT Protocol: public threads, polled; one record of our own choosing per reply."""
