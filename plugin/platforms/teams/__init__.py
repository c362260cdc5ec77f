"""Microsoft Teams: personal chats, group chats and channels in which a Bot Framework bot is spoken to."""
