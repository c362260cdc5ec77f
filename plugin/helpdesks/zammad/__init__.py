"""The Zammad helpdesk, from 6.2 on, over its REST API and webhooks."""
