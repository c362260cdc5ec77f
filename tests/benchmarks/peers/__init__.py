"""Other people's software doing the same work, side by side with ours."""
