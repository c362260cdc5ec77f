"""The agents' panel: one custom element beside the ticket, the snapshot that it draws, and the routes that serve both."""
