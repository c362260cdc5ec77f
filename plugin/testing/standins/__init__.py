"""Strict stand-ins of closed services: each refuses what the real one refuses, with its words, and can be told to misbehave."""
