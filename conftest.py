"""The suite's fixtures stand in tests/fixtures.py; this file only lets tests beside the adapters use them too."""

pytest_plugins = ["tests.fixtures"]
