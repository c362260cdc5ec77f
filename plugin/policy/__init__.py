"""Decisions as pure functions of (conversation, facts, now), one rule per file. No database, no calls, no clock of its own."""
