"""A guestbook as a platform of Crossdesk."""
