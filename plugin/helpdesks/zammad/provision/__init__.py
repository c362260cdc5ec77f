"""Setting up a Zammad by its API: what is wanted as data, compared, made, tried and taken away again."""
