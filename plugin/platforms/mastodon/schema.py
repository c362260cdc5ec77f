"""The settings of a Mastodon channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates, validates_schema

_LOOPBACK = ("http://localhost", "http://127.", "http://[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the admin configured. `url` is without a trailing slash."""

    url: str
    access_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    poll_seconds: float


class SettingsSchema(Schema):
    """Settings in `[channel.NAME]`."""

    class Meta:
        """Misspelt settings are mistakes."""

        unknown = RAISE

    url = fields.String(
        required=True,
        validate=validate.URL(schemes={"http", "https"}, require_tld=False),
        metadata={"help": "Address of the server on which the account lives, for example https://mastodon.social.", "secret": False},
    )
    access_token = fields.String(
        load_default="",
        metadata={
            "help": "The access token of the application made for Crossdesk under Preferences, Development. Empty where the account is connected "
            "in a browser.",
            "secret": True,
        },
    )
    client_id = fields.String(
        load_default="",
        metadata={"help": "To connect the account in a browser: the application's client key.", "secret": False},
    )
    client_secret = fields.String(
        load_default="",
        metadata={"help": "To connect the account in a browser: the application's client secret.", "secret": True},
    )
    poll_seconds = fields.Float(
        load_default=10.0,
        validate=validate.Range(min=1, max=3600),
        metadata={"help": "How often to look for news, in seconds.", "secret": False},
    )

    @validates("url")
    def _is_safe(self, value: str, **_: Any) -> None:
        """The token goes there: in the clear only within this machine."""
        if not value.startswith(("https://", *_LOOPBACK)):
            raise ValidationError("The access token would travel in the clear: use an https:// address.")

    @validates_schema
    def _opens(self, data: dict[str, Any], **_: Any) -> None:
        """One way to a token, and no other beside it."""
        if data.get("access_token", "").strip():
            if data.get("client_id") or data.get("client_secret"):
                raise ValidationError("Give either a token, or a client key and secret to connect with; not both.", "access_token")
        elif not data.get("client_id"):
            raise ValidationError(
                "Give the application's token, or its client key and secret to connect the account in a browser.", "access_token"
            )
        elif not data.get("client_secret"):
            raise ValidationError("The client key needs its client secret beside it.", "client_secret")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Settings:
        texts = {name: data[name].strip() for name in ("access_token", "client_id", "client_secret")}
        return Settings(url=data["url"].rstrip("/"), poll_seconds=data["poll_seconds"], **texts)
