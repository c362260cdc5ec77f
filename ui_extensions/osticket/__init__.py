"""Crossdesk's plugin for osTicket, in PHP (`crossdesk/`), and the contract between it and the bridge (`contract.schema.json`)."""
