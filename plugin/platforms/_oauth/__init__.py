"""OAuth 2.0 sign-ins and the day's budget of calls, as X, YouTube, Reddit and LinkedIn share them. No platform by itself."""
