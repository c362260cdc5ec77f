"""Reddit: mentions, answers, comments of subreddits and messages of one account. Found by walking `adapter.PLATFORM`."""
