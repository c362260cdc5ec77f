"""`python -m plugin.cli`: the `crossdesk` command without its script."""

from __future__ import annotations

from plugin.cli import main

if __name__ == "__main__":
    main(prog_name="crossdesk")
