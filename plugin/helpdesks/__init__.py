"""One folder per helpdesk, found by walking."""
