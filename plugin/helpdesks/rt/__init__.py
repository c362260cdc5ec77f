"""Request Tracker 5 as a helpdesk: REST2 for everything the bridge does, one signed scrip (or a poll) for what agents do."""
