"""The agents' panel on the engine of the tests: its routes on the network and the helpdesk in memory, asked as a helpdesk's relay asks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from plugin.bootstrap import Bridge
from plugin.config import Config
from plugin.contracts.http import HttpClient
from plugin.store.grants import Grants
from plugin.store.passes import Passes
from tests.bridge import ROOT, key
from tests.channels import no_http, none_made
from tests.engine import Engine
from tests.waiting import eventually
from ui_extensions.panel import signing
from ui_extensions.panel.routes import add_panel
from ui_extensions.panel.signing import Agent
from ui_extensions.rehearsal import serving

ADA = Agent(id="7", name="Ada Agent", login="ada")
BEN = Agent(id="8", name="Ben Berg", login="ben")
SUE = Agent(id="9", name="Sue Visor", login="sue", role="supervisor")
SCHEMA: dict[str, Any] = json.loads((ROOT / "ui_extensions" / "panel" / "schema.json").read_text())
_VALID = Draft202012Validator(SCHEMA)


def bridge_of(engine: Engine, *, public_url: str = "http://127.0.0.1") -> Bridge:
    """The engine's parts as the doors want them."""
    secret = key()
    config = Config(path=Path("test.toml"), data_dir=Path("unused"), public_url=public_url)
    return Bridge(
        config=config,
        installation=engine.installation,
        database=engine.database,
        splitter=engine.splitter,
        poller=engine.poller,
        spool=None,
        grants=Grants(engine.database, (secret,)),
        passes=Passes(engine.database, (secret,)),
        keys=(secret,),
        http=no_http,
        channels=none_made(config, engine.installation, engine.database, (secret,)),
    )


class Desk:
    """A helpdesk's relay: asks for agents, signed."""

    def __init__(
        self, engine: Engine, *, helpdesk: str = "fake", http: HttpClient | None = None, public_url: str = "http://127.0.0.1"
    ) -> None:
        self.engine, self.helpdesk = engine, helpdesk
        self.bridge = bridge_of(engine, public_url=public_url)
        self.app = Flask("panel")
        add_panel(self.app, self.bridge, engine.wakeups, http=http)
        self.client: FlaskClient = self.app.test_client()
        self.secret = signing.relay_secret(self.bridge.keys[0], helpdesk)

    def ask(self, path: str, agent: Agent = ADA, *, body: Any = None, now: datetime | None = None, secret: str = "") -> TestResponse:
        """One signed request: a GET, or a POST with a body."""
        method, data = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        moment = now or datetime.now(UTC)
        headers = signing.signed_headers(secret or self.secret, agent, method=method, path=path, now=moment, body=data)
        return self.client.open(path, method=method, data=data, headers=headers)

    def path(self, ticket: int = 0) -> str:
        """A ticket's address."""
        return f"/panel/{self.helpdesk}/{self.engine.helpdesk.tickets[ticket].ref}"

    def snapshot(self, agent: Agent = ADA, *, ticket: int = 0) -> dict[str, Any]:
        """The ticket as an agent sees it, held to the schema."""
        answer = self.ask(self.path(ticket), agent)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        _VALID.validate(found)
        return found

    def press(self, action: str, agent: Agent = ADA, *, ticket: int = 0, **body: Any) -> TestResponse:
        """Press a button; `key` is made up where it is left out."""
        return self.ask(f"{self.path(ticket)}/actions/{action}", agent, body={"key": uuid.uuid4().hex, **body})


def definition(name: str) -> Draft202012Validator:
    """What holds one of the schema's other shapes."""
    return Draft202012Validator({**SCHEMA["$defs"][name], "$defs": SCHEMA["$defs"]})


@contextmanager
def served(build: Callable[[str], Flask]) -> Iterator[str]:
    """The address of the application that `build` makes for it, while it is served; afterwards nothing works at a request any more.

    Close the pages that ask it before.
    """
    active: set[int] = set()

    def counted(url: str) -> Any:
        app = build(url)

        def answer(environ: Any, start_response: Any) -> Any:
            active.add(id(environ))
            try:
                return app(environ, start_response)
            finally:
                active.discard(id(environ))

        return answer

    with serving.background(serving.bind(counted)) as url:
        yield url
    eventually(lambda: not active)
