"""OAuth 2.0 sign-ins as YouTube, Reddit and LinkedIn share them: codes, tokens and their renewal. No platform by itself."""
