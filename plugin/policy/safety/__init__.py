"""Safety: what is dangerous, private or angry in what people write, found before it does harm. Pure: no database, no network, no clock of its own."""
