"""The real receipt path before a bridge inside the test's process."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from plugin.bootstrap import Bridge
from plugin.config import Config, ReceiverConfig
from plugin.store.grants import Grants
from plugin.store.passes import Passes
from tests.channels import no_http, none_made
from tests.faults.inner import Inner
from webhooks.app import create_app


def application(inner: Inner, *, max_body: int = 200_000) -> Flask:
    """The receiver's application."""
    from pathlib import Path

    config = Config(
        path=Path("crossdesk.toml"),
        data_dir=Path(),
        public_url="http://127.0.0.1",
        receiver=ReceiverConfig(max_body=max_body),
        channels=MappingProxyType({}),
    )
    keys = (Fernet.generate_key().decode(),)
    bridge = Bridge(
        config=config,
        installation=inner.installation,
        database=inner.database,
        splitter=inner.splitter,
        poller=inner.poller,
        spool=inner.spool,
        grants=Grants(inner.database, keys),
        passes=Passes(inner.database, keys),
        http=no_http,
        channels=none_made(config, inner.installation, inner.database, keys),
    )
    return create_app(bridge, cast(Any, inner.wakeups))


def door(inner: Inner, *, max_body: int = 200_000) -> FlaskClient:
    """Whoever knocks."""
    return application(inner, max_body=max_body).test_client()
