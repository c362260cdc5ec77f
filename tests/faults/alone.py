"""The whole bridge in one process."""
