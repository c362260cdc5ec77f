"""The generic channel: whatever speaks its signed HTTP contract (docs/webhook-channel.md) is connected without writing Python."""
