"""The settings of one LinkedIn page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate, validates_schema

from plugin.platforms._oauth.settings import bare, check_addresses, check_credentials

SCOPES = (
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
    "rw_organization_admin",
)
_URLS = ("api_url", "site_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema` for what each means."""

    organization_id: str
    client_id: str
    client_secret: str = field(repr=False)
    previous_client_secret: str = field(repr=False)
    application_id: str
    api_version: str
    scopes: tuple[str, ...]
    names: bool
    posts: int
    daily_calls: int
    poll_seconds: float
    api_url: str
    site_url: str

    @property
    def organization(self) -> str:
        """The page's URN."""
        return f"urn:li:organization:{self.organization_id}"


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a LinkedIn page."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    organization_id = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"[0-9]{1,20}\Z"), error="Give the page's number, not its name."),
        metadata={
            "help": "The page's number: it stands in the address of its admin view, linkedin.com/company/NUMBER/admin.",
            "secret": False,
        },
    )
    client_id = fields.String(
        required=True,
        validate=validate.Length(min=8, max=100),
        metadata={"help": "Client ID of your app, from its Auth tab at linkedin.com/developers/apps.", "secret": False},
    )
    client_secret = fields.String(
        required=True,
        validate=validate.Length(min=8, max=200),
        metadata={"help": "The app's Primary Client Secret. It also signs what LinkedIn sends.", "secret": True},
    )
    previous_client_secret = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"help": "The secret before this one, while deliveries signed with it may still come.", "secret": True},
    )
    application_id = fields.String(
        load_default="",
        validate=validate.Regexp(re.compile(r"[0-9]{0,20}\Z"), error="Give the app's number."),
        metadata={
            "help": "The app's number, from the address linkedin.com/developers/apps/NUMBER. Only for webhooks; without it the page is polled.",
            "secret": False,
        },
    )
    api_version = fields.String(
        load_default="202609",
        validate=validate.Regexp(re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])\Z"), error="Give a year and a month, such as 202609."),
        metadata={"help": "The version of LinkedIn's API, a year and a month. LinkedIn retires each after about a year.", "secret": False},
    )
    scopes = fields.List(
        fields.String(validate=validate.Regexp(re.compile(r"[A-Za-z0-9_]{3,60}\Z"), error="This is no permission's name.")),
        load_default=lambda: list(SCOPES),
        validate=validate.Length(min=1, max=20),
        metadata={
            "help": "Permissions to ask for, as the app's Auth tab lists them. Change it only if your app has others.",
            "secret": False,
        },
    )
    names = fields.Boolean(
        load_default=False,
        metadata={
            "help": "Look up members' names for the helpdesk. LinkedIn's rules forbid to store them unless your agreement allows it.",
            "secret": False,
        },
    )
    posts = fields.Integer(
        load_default=20,
        validate=validate.Range(min=1, max=100),
        metadata={"help": "How many of the page's posts are watched, the last changed first.", "secret": False},
    )
    daily_calls = fields.Integer(
        load_default=4_000,
        validate=validate.Range(min=50, max=10_000_000),
        metadata={
            "help": "Calls a day at the most; a fifth is kept for replies. LinkedIn shows yours in the app's Analytics tab.",
            "secret": False,
        },
    )
    poll_seconds = fields.Float(
        load_default=180.0,
        validate=validate.Range(min=10, max=86_400),
        metadata={
            "help": "How often to look for news, in seconds. Each look costs three to five calls, and one for each post that has news.",
            "secret": False,
        },
    )
    api_url = fields.String(load_default="https://api.linkedin.com", metadata={"help": "Where LinkedIn's API is.", "secret": False})
    site_url = fields.String(
        load_default="https://www.linkedin.com",
        metadata={"help": "Where people sign in to LinkedIn, and sign-ins are given out.", "secret": False},
    )

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Addresses that tokens may travel to, and credentials that can be some."""
        check_addresses(data, _URLS)
        check_credentials(data, ("client_id", "client_secret", "previous_client_secret"), whose="LinkedIn")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, "scopes": tuple(data["scopes"]), **bare(data, _URLS)})
