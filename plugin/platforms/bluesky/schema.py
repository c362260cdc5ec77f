"""The settings of a Bluesky channel, and the session that we keep between calls."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates

_LOOPBACK = ("http://localhost", "http://127.", "http://[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the admin configured. `service` and `directory` are without a trailing slash."""

    service: str
    identifier: str
    app_password: str = field(repr=False)
    directory: str
    poll_seconds: float
    private_messages: bool
    chat_service: str

    @property
    def fingerprint(self) -> str:
        """Tells whether a kept session belongs to these settings."""
        return hashlib.sha256(f"{self.service}\n{self.identifier}\n{self.app_password}".encode()).hexdigest()[:16]


class SettingsSchema(Schema):
    """Settings in `[channel.NAME]`."""

    class Meta:
        """Misspelt settings are mistakes."""

        unknown = RAISE

    service = fields.String(
        load_default="https://bsky.social",
        validate=validate.URL(schemes={"http", "https"}, require_tld=False),
        metadata={"help": "Address of the server on which the account lives, as its apps know it.", "secret": False},
    )
    identifier = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"help": "The account's handle (brand.example), or its DID.", "secret": False},
    )
    app_password = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"help": "An app password made for Crossdesk under Settings, Privacy and security, App passwords.", "secret": True},
    )
    directory = fields.String(
        load_default="https://plc.directory",
        validate=validate.URL(schemes={"http", "https"}, require_tld=False),
        metadata={"help": "The PLC directory that tells on which server an account keeps its pictures.", "secret": False},
    )
    poll_seconds = fields.Float(
        load_default=15.0,
        validate=validate.Range(min=1, max=3600),
        metadata={"help": "How often to look for news, in seconds.", "secret": False},
    )

    private_messages = fields.Boolean(
        load_default=False,
        metadata={
            "help": "Carry direct messages (chat), too. The app password must have been made with access to them.",
            "secret": False,
        },
    )
    chat_service = fields.String(
        load_default="did:web:api.bsky.chat#bsky_chat",
        validate=validate.Regexp(r"did:[a-z]+:[A-Za-z0-9._:%-]+#[A-Za-z0-9_-]+\Z", error="Write it as did:METHOD:NAME#SERVICE."),
        metadata={"help": "The service to which the account's server passes on what is said in chat.", "secret": False},
    )

    @validates("service")
    def _is_safe(self, value: str, **_: Any) -> None:
        """The password goes there: in the clear only within this machine."""
        if not value.startswith(("https://", *_LOOPBACK)):
            raise ValidationError("The app password would travel in the clear: use an https:// address.")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Settings:
        return Settings(
            service=data["service"].rstrip("/"),
            identifier=data["identifier"].strip().removeprefix("@"),
            app_password=data["app_password"].strip(),
            directory=data["directory"].rstrip("/"),
            poll_seconds=data["poll_seconds"],
            private_messages=data["private_messages"],
            chat_service=data["chat_service"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in account. `account` is the fingerprint of the settings that opened it."""

    did: str
    handle: str
    access: str = field(repr=False)
    renewal: str = field(repr=False)
    account: str

    def dump(self) -> str:
        """As one secret."""
        return json.dumps({name: getattr(self, name) for name in ("did", "handle", "access", "renewal", "account")})


def load_session(secret: str | None) -> Session | None:
    """A kept session; None when there is none that can be read."""
    try:
        return Session(**json.loads(secret)) if secret else None
    except (ValueError, TypeError):
        return None
