"""What every Graph channel is configured with: the app, its secrets, the token, the version. Each platform adds its own account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

VERSION = "v26.0"
"""The newest version that was read about; a version lives for about two years (Graph API, "Platform Versioning")."""
_ID = re.compile(r"[0-9]{1,40}\Z")
_SECRET = re.compile(r"[0-9a-zA-Z]{16,128}\Z")
_TOKEN = re.compile(r"[\x21-\x7e]{16,1024}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """Validated settings of the app. Secrets are empty where they are not set."""

    app_id: str
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    previous_app_secret: str = field(default="", repr=False)
    version: str = VERSION
    graph_url: str = "https://graph.facebook.com"

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Every secret with which Meta may have signed."""
        return (self.app_secret, self.previous_app_secret)


def id_field(help_text: str, *, required: bool = True) -> fields.String:
    """An id of Meta's as a setting: digits."""
    more: dict[str, Any] = {"required": True} if required else {"load_default": ""}
    pattern = validate.Regexp(_ID if required else re.compile(r"([0-9]{1,40})?\Z"), error="This is no id of Meta's: they are digits only.")
    return fields.String(validate=pattern, metadata={"help": help_text, "secret": False}, **more)


def secret_field(help_text: str) -> fields.String:
    """An optional further secret."""
    pattern = validate.Regexp(re.compile(rf"({_SECRET.pattern[:-2]})?\Z"), error="This is no app secret: it is 32 letters and digits.")
    return fields.String(load_default="", validate=pattern, metadata={"help": help_text, "secret": True})


class GraphSchema(Schema):
    """What stands under `[channel.NAME]` for any Graph channel."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    app_id = id_field("The app's id, from App settings → Basic at developers.facebook.com.")
    app_secret = fields.String(
        required=True,
        validate=validate.Regexp(_SECRET, error="This is no app secret: it is 32 letters and digits."),
        metadata={
            "help": "The app's secret, from App settings → Basic. Webhooks are signed with it and calls are proved by it.",
            "secret": True,
        },
    )
    previous_app_secret = secret_field(
        "While you reset the app secret: the old one. Webhooks that were signed with it are still accepted. Then empty it."
    )
    verify_token = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"[A-Za-z0-9_-]{16,128}\Z"), error="Use 16 to 128 of A-Z a-z 0-9 _ and -."),
        metadata={
            "help": "A word of your own, 16 to 128 of A-Z a-z 0-9 _ -. Meta repeats it when the webhook is registered.",
            "secret": True,
        },
    )
    access_token = fields.String(
        load_default="",
        validate=validate.Regexp(
            re.compile(rf"({_TOKEN.pattern[:-2]})?\Z"), error="This is no token: it has no spaces and at least 16 letters."
        ),
        metadata={
            "help": "The account's access token that does not expire. Empty where the account is connected in the console.",
            "secret": True,
        },
    )
    version = fields.String(
        load_default=VERSION,
        validate=validate.Regexp(re.compile(r"v[1-9][0-9]?\.[0-9]\Z"), error="A Graph version looks like v26.0."),
        metadata={"help": "The Graph API version to speak. Meta keeps each for about two years.", "secret": False},
    )
    graph_url = fields.String(
        load_default="https://graph.facebook.com",
        metadata={"help": "Where the Graph API is. Change it only for a proxy of your own.", "secret": False},
    )

    @validates_schema
    def check_address(self, data: dict[str, Any], **_: Any) -> None:
        """The address is one."""
        if not _is_base(data.get("graph_url", "")):
            raise ValidationError("Give an address such as https://graph.facebook.com, without path and query.", "graph_url")


def poll_field() -> fields.Float:
    """How often to look for what no webhook told."""
    return fields.Float(
        load_default=300.0,
        validate=validate.Range(min=30.0, max=86_400.0, error="Give 30 seconds to a day."),
        metadata={"help": "Seconds between two looks for what the webhooks did not tell.", "secret": False},
    )


def human_agent_field() -> fields.Boolean:
    """Whether the human agent tag may be used."""
    return fields.Boolean(
        load_default=False,
        metadata={
            "help": "true: when 24 hours are over, answer under the HUMAN_AGENT tag for up to 7 days. Needs Meta's approval of the feature "
            "“Human Agent”, and every reply must be written by a person.",
            "secret": False,
        },
    )


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_bare = not (parts.query or parts.fragment or parts.username or parts.path.strip("/"))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and is_bare
    except ValueError:
        return False
