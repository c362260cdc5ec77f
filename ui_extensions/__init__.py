"""Pages: the rehearsal now; panel, console and helpdesk add-ons are built here."""
