"""The Graph API as the platforms of Meta share it: calls, errors, signatures, envelopes and Messenger's messages. No platform by itself."""
