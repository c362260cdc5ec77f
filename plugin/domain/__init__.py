"""The words of Crossdesk as frozen data. Standard library only; knows nothing of databases, queues or the web."""
