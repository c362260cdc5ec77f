"""YouTube: comments on one channel and its videos. Found by walking `adapter.PLATFORM`."""
