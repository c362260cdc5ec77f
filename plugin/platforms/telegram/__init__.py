"""Telegram: a bot's private chats, groups and channels, and the chats of Telegram Business accounts that the bot answers."""
