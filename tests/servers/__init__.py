"""Real servers for the tests: one module each with `start(directory) -> Started`, started once per run and stopped after it."""
