"""The ledger: search, one message's whole story, one conversation, and what is held or set aside."""

from __future__ import annotations

from flask import Flask, render_template, request
from werkzeug.exceptions import NotFound

from plugin.bootstrap import Bridge
from plugin.handlers import explaining
from plugin.store import browsing, ledger

_LONGEST = 200
_LARGEST = 2**62


def add_ledger_pages(app: Flask, bridge: Bridge) -> None:
    """`/ledger`, `/ledger/<event>`, `/conversations/<number>` and `/held`."""

    @app.get("/ledger")
    def ledger_page() -> str:
        words = request.args.get("q", "").replace("\0", "").strip()[:_LONGEST]
        with bridge.database.begin() as connection:
            rows = browsing.search(connection, words)
        return render_template("ledger.html", rows=rows, words=words)

    @app.get("/ledger/<int:number>")
    def story(number: int) -> str:
        with bridge.database.begin() as connection:
            if number > _LARGEST or number not in ledger.find_events(connection, str(number)):
                raise NotFound(f"Nothing is known of an event {number}.")
            found = ledger.story(connection, number)
        return render_template("story.html", story=found)

    @app.get("/conversations/<int:number>")
    def conversation(number: int) -> str:
        found = None if number > _LARGEST else explaining.explain(bridge.database, bridge.installation, number)
        if found is None:
            raise NotFound(f"There is no conversation {number}.")
        return render_template("conversation.html", found=found)

    @app.get("/held")
    def held() -> str:
        with bridge.database.begin() as connection:
            waiting, aside = browsing.held(connection), ledger.set_aside(connection)
        return render_template("held.html", waiting=waiting, aside=aside)
