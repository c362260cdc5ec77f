"""osTicket 1.17 and 1.18 as a helpdesk: by our PHP plugin for everything, or by its stock e-mail route for intake alone."""
