"""The settings of one Slack app in one workspace."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

_TOKEN = r"(?!xox[aprs]|xapp)[a-z]{4}(\.[a-z]{4})?-[A-Za-z0-9-]{10,300}"  # noqa: S105 - a pattern, no token
_SECRET = r"[A-Za-z0-9]{16,64}"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema`."""

    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    previous_signing_secret: str = field(default="", repr=False)
    app_id: str
    workspace_url: str = ""
    channels: str = "public"
    api_url: str = "https://slack.com/api"


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        return False


def _check_base(url: str) -> None:
    if url and not _is_base(url):
        raise ValidationError("Give an address such as https://example.slack.com, without a query.")


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a Slack app."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    bot_token = fields.String(
        required=True,
        validate=validate.Regexp(
            re.compile(rf"{_TOKEN}\Z"), error="This is no bot token; the app's page OAuth & Permissions shows it: xoxb-…"
        ),
        metadata={"help": "The Bot User OAuth Token, from the app's page OAuth & Permissions.", "secret": True},
    )
    signing_secret = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(rf"{_SECRET}\Z"), error="Copy the Signing Secret from the app's page Basic Information."),
        metadata={"help": "The Signing Secret, from the app's page Basic Information. It proves that an event is Slack's.", "secret": True},
    )
    previous_signing_secret = fields.String(
        load_default="",
        validate=validate.Regexp(re.compile(rf"({_SECRET})?\Z"), error="Copy it from where the old secret was kept, or leave it empty."),
        metadata={"help": "While you change the secret: the old one, still accepted. Then empty it.", "secret": True},
    )
    app_id = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"A[A-Z0-9]{2,30}\Z"), error="The app's id begins with A; it stands on Basic Information."),
        metadata={"help": "The App ID, from Basic Information. By it the bot's own messages are known.", "secret": False},
    )
    workspace_url = fields.String(
        load_default="",
        validate=_check_base,
        metadata={
            "help": "The workspace's address, such as https://example.slack.com, for links to messages. Empty: no links.",
            "secret": False,
        },
    )
    channels = fields.String(
        load_default="public",
        validate=validate.OneOf(("public", "private", "ignore")),
        metadata={
            "help": 'Messages in channels that every member may join. "public": treated like public posts (approval, preflight and the '
            'crossover apply). "private": as if only the customer read them. "ignore": count them and go on. Private channels, group '
            "conversations and direct messages are always private.",
            "secret": False,
        },
    )
    api_url = fields.String(
        load_default="https://slack.com/api",
        validate=[_check_base, validate.Length(min=1, error="Give an address such as https://slack.com/api.")],
        metadata={"help": "Where the Web API is. Change it only for GovSlack (https://slack-gov.com/api).", "secret": False},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, "api_url": data["api_url"].rstrip("/"), "workspace_url": data["workspace_url"].rstrip("/")})
