"""Every adapter answers the same questions."""
