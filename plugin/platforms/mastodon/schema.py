"""The settings of a Mastodon channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates

_LOOPBACK = ("http://localhost", "http://127.", "http://[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the admin configured. `url` is without a trailing slash."""

    url: str
    access_token: str = field(repr=False)
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
        required=True,
        validate=validate.Length(min=1),
        metadata={"help": "The access token of the application made for Crossdesk under Preferences, Development.", "secret": True},
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

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Settings:
        return Settings(url=data["url"].rstrip("/"), access_token=data["access_token"].strip(), poll_seconds=data["poll_seconds"])
