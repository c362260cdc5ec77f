"""The settings of one Discord bot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

_ID = validate.Regexp(re.compile(r"[0-9]{15,20}\Z"), error="Write the channel's id: fifteen to twenty digits. Developer mode shows it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema`."""

    bot_token: str = field(repr=False)
    channels: tuple[str, ...]
    private_channels: frozenset[str] = frozenset()
    public_key: str = ""
    poll_seconds: float = 15.0
    api_url: str = "https://discord.com/api/v10"


def _check_base(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_base = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        is_base = False
    if not is_base:
        raise ValidationError("Give an address such as https://discord.com/api/v10, without a query.")


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a Discord bot."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    bot_token = fields.String(
        required=True,
        validate=validate.Regexp(
            re.compile(r"[A-Za-z0-9._-]{40,200}\Z"), error="This is no bot token; the application's page Bot shows it."
        ),
        metadata={"help": "The bot's token, from the application's page Bot.", "secret": True},
    )
    channels = fields.List(
        fields.String(validate=_ID),
        required=True,
        validate=validate.Length(min=1, max=50, error="Name one to fifty channels."),
        metadata={
            "help": "Ids of the text, announcement and forum channels to read, with their threads; a single thread will do, too.",
            "secret": False,
        },
    )
    private_channels = fields.List(
        fields.String(validate=_ID),
        load_default=list,
        metadata={
            "help": "Those of `channels` that only chosen members read; what is said there counts as private. All others are public.",
            "secret": False,
        },
    )
    public_key = fields.String(
        load_default="",
        validate=validate.Regexp(
            re.compile(r"([0-9a-f]{64})?\Z"), error="Copy the Public Key from General Information: 64 letters of 0-9 and a-f."
        ),
        metadata={
            "help": "The application's Public Key. Needed only where Discord shall accept our address for interactions.",
            "secret": False,
        },
    )
    poll_seconds = fields.Float(
        load_default=15.0,
        validate=validate.Range(min=5, max=600),
        metadata={"help": "How often the channels are asked, in seconds.", "secret": False},
    )
    api_url = fields.String(
        load_default="https://discord.com/api/v10",
        validate=_check_base,
        metadata={"help": "Where the API is. Only tests have reason to change it.", "secret": False},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        lists = {"channels": tuple(dict.fromkeys(data["channels"])), "private_channels": frozenset(data["private_channels"])}
        return Settings(**{**data, **lists, "api_url": data["api_url"].rstrip("/")})
