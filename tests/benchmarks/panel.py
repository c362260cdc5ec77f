"""(panel) The panel's question about an unchanged ticket against a bare Flask route, both as WSGI calls in this process."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response
from sqlalchemy import text

from tests.benchmarks import history
from tests.benchmarks.ground import HELPDESK, Ground
from ui_extensions.panel import signing
from ui_extensions.panel.rates import Rates
from ui_extensions.panel.routes import Panel
from ui_extensions.panel.signing import Agent


class _Unhurried:
    """Wake-ups that nobody needs here."""

    def wake(self) -> None:
        """Nothing."""


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Milliseconds a call, as medians of rounds in turns, on top of stored history."""
    rounds, calls = (3, 50) if is_quick else (7, 300)
    url = here.database()
    history.load_finished(url, 2_000 if is_quick else 100_000)
    bridge = here.bridge(url)
    app, panel = Flask("panel"), Panel(bridge, _Unhurried(), rates=Rates(a_second=1e9, at_once=1_000_000))
    app.register_blueprint(panel.blueprint())
    app.add_url_rule("/bare", "bare", lambda: Response(status=204))
    with bridge.database.begin() as connection:
        ticket = connection.execute(
            text("SELECT ticket_ref FROM conversation WHERE helpdesk = :desk LIMIT 1"), {"desk": HELPDESK}
        ).scalar_one()
    path, secret, agent = f"/panel/bench/{ticket}", signing.relay_secret(bridge.keys[0], "bench"), Agent(id="1", name="Ada")

    def look() -> str:
        headers = signing.signed_headers(secret, agent, method="GET", path=path, now=datetime.now(UTC))
        return str(app.test_client().get(path, headers=headers).get_json()["rev"])

    ours, bare, statuses = list[float](), list[float](), set[int]()
    for _ in range(rounds):
        target = f"{path}?since={look()}"
        ours.append(_each(lambda target=target: statuses.add(_call(app, target, secret, agent)), calls))  # type: ignore[misc]
        bare.append(_each(lambda: statuses.add(_call(app, "/bare", secret, agent)), calls))
    bridge.database.dispose()
    mine, theirs = statistics.median(ours), statistics.median(bare)
    return {
        "unchanged_ms": round(mine, 3),
        "bare_ms": round(theirs, 3),
        "ratio": round(statistics.median(one / other for one, other in zip(ours, bare, strict=True)), 2),
        "answers": sorted(statuses),
        "target": "unchanged_ms < 5",
    }


def _each(call: Callable[[], None], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count * 1000


def _call(app: Flask, target: str, secret: str, agent: Agent) -> int:
    """One WSGI call; signing is part of the caller's work and costs both the same."""
    path, _, query = target.partition("?")
    headers = signing.signed_headers(secret, agent, method="GET", path=target, now=datetime.now(UTC))
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    statuses: list[str] = []
    for _ in app(environ, lambda status, _headers, _problem=None: statuses.append(status)):  # type: ignore[arg-type]
        pass
    return int(statuses[0][:3])
