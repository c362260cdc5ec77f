"""LinkedIn: comments on an organisation's posts, and posts that mention it. Found by walking `adapter.PLATFORM`."""
