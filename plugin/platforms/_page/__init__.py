"""The private page: where customers of platforms without private messages go on. No platform of its own to configure; see docs/safety.md."""
