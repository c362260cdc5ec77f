"""Before a social channel is opened: seven questions, and what follows from the answers. Data and words only; `crossdesk policy new` asks them."""
