"""The admin console: pages for admins, supervisors and auditors, over the same functions as the `crossdesk` command."""
