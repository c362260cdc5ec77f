"""The browser's side panel: shows Crossdesk's panel for the ticket in view, for helpdesks into whose pages nothing is put."""
