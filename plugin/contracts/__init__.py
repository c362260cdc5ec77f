"""What the handlers may ask of the outside: Protocols and capability data. No implementation, no web or database library."""
