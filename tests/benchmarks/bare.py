"""What the receipt path is measured against: Flask and gunicorn, one HMAC, one durable insert, nothing else."""

from __future__ import annotations

import hmac
import threading

import psycopg
from flask import Flask, Response, request

from plugin.config import ReceiverConfig
from tests.benchmarks.adapters import SIGNATURE, sign
from webhooks.serve import serve


def prepare(database: str) -> None:
    """Its one table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE delivery (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)")


def run(database: str, port: int) -> None:
    """Serve with the same gunicorn settings as ours; each thread keeps a connection, which costs less than a pool."""
    serve(lambda: _app(database), ReceiverConfig(port=port), on_ready=lambda: None)


def _app(database: str) -> Flask:
    app, kept = Flask("bare", static_folder=None), threading.local()

    def receive() -> Response:
        body = request.get_data()
        if not hmac.compare_digest(sign(body), request.headers.get(SIGNATURE, "")):
            return Response(b"{}", status=401, content_type="application/json")
        if not hasattr(kept, "connection"):
            kept.connection = psycopg.connect(database, autocommit=True)
        kept.connection.execute("INSERT INTO delivery (body) VALUES (%s)", (body,))
        return Response(b"{}", status=200, content_type="application/json")

    app.add_url_rule("/in", "receive", receive, methods=["POST"])
    return app
