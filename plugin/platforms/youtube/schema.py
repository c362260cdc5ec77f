"""The settings of one YouTube channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate, validates_schema

from plugin.platforms._oauth.settings import bare, check_addresses, check_credentials

_URLS = ("api_url", "sign_in_url", "grant_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema` for what each means."""

    channel_id: str
    client_id: str
    client_secret: str = field(repr=False)
    daily_units: int
    poll_seconds: float
    api_url: str
    sign_in_url: str
    grant_url: str


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a YouTube channel."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    channel_id = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"UC[A-Za-z0-9_-]{22}\Z"), error="Give the channel's id, UC and 22 letters, not its @handle."),
        metadata={"help": "The channel's id, from YouTube: Settings, Advanced settings, Channel ID. It begins with UC.", "secret": False},
    )
    client_id = fields.String(
        required=True,
        validate=validate.Length(min=8, max=300),
        metadata={"help": "OAuth client ID of your app (type web application), from the Google Cloud console.", "secret": False},
    )
    client_secret = fields.String(
        required=True,
        validate=validate.Length(min=8, max=300),
        metadata={"help": "The OAuth client's secret.", "secret": True},
    )
    daily_units = fields.Integer(
        load_default=10_000,
        validate=validate.Range(min=100, max=100_000_000),
        metadata={
            "help": "Quota units a day of your Google project; a fifth is kept for replies. 10000 unless Google gave you more.",
            "secret": False,
        },
    )
    poll_seconds = fields.Float(
        load_default=180.0,
        validate=validate.Range(min=10, max=3600),
        metadata={
            "help": "How often to look for news, in seconds. Each look costs two units and one for each thread that has news.",
            "secret": False,
        },
    )
    api_url = fields.String(load_default="https://www.googleapis.com", metadata={"help": "Where YouTube's Data API is.", "secret": False})
    sign_in_url = fields.String(
        load_default="https://accounts.google.com/o/oauth2/v2/auth",
        metadata={"help": "Where people sign in to Google.", "secret": False},
    )
    grant_url = fields.String(
        load_default="https://oauth2.googleapis.com/token",
        metadata={"help": "Where Google gives out and renews sign-ins.", "secret": False},
    )

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Addresses that tokens may travel to, and credentials that can be some."""
        check_addresses(data, _URLS)
        check_credentials(data, ("client_id", "client_secret"), whose="Google")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, **bare(data, _URLS)})
