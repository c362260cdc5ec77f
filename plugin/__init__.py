"""The bridge itself: everything that is neither a web door (`webhooks`), nor a job door (`workers`), nor a page (`ui_extensions`)."""
