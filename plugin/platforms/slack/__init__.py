"""Slack: a workspace's channels, group conversations and direct messages, spoken in by one app's bot. The internal helpdesk's platform."""
