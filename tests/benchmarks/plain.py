"""The plain design that ours is measured against: one forked RQ job for each message, which looks whether it is known, looks up and writes."""

from __future__ import annotations

import json

import psycopg
import requests

from tests.benchmarks.load import body_of


def prepare(database: str) -> None:
    """Its one table."""
    with psycopg.connect(_plain(database), autocommit=True) as connection:
        connection.execute("CREATE TABLE seen (id text PRIMARY KEY, ticket text)")
        connection.execute("CREATE TABLE ticket (contact text PRIMARY KEY, id text NOT NULL)")


def file(database: str, port: int, number: int, contacts: int) -> None:
    """The job."""
    said = json.loads(body_of(number, contacts))
    url = f"http://127.0.0.1:{port}"
    with psycopg.connect(_plain(database)) as connection:
        new = connection.execute("INSERT INTO seen (id) VALUES (%s) ON CONFLICT DO NOTHING RETURNING id", (said["id"],)).fetchone()
        if new is None:
            return
        with requests.Session() as session:
            known = session.get(f"{url}/lookup/{said['from']}", timeout=10).json()["id"]
            if known is None:
                session.post(f"{url}/tickets", json={"key": said["from"], "title": said["text"][:80], "text": said["text"]}, timeout=10)
            else:
                session.post(f"{url}/tickets/{known}/articles", json={"text": said["text"]}, timeout=10)


def _plain(database: str) -> str:
    return database.replace("+psycopg", "")
