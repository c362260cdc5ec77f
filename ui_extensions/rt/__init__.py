"""Request Tracker's side of Crossdesk, in Perl and Mason, and how it is packed."""
