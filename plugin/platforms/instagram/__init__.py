"""Instagram: comments, mentions and direct messages of a professional account."""
