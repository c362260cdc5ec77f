"""Facebook Pages: posts, comments and Messenger."""
