"""OAuth 2.0 sign-ins as YouTube and Reddit share them: codes, tokens and their renewal. No platform by itself."""
