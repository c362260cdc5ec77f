"""The only truth: tables and queries on PostgreSQL. Knows no platform and no helpdesk."""
