"""The practice network: a strict HTTP API, signed webhooks, and a page on which one posts as a customer."""
