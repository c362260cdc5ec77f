"""X (formerly Twitter): one account's mentions, replies, quotes and direct messages, and what its own people answer there."""
