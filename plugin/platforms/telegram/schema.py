"""The settings of one Telegram bot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from plugin.platforms.telegram.commands import COMMAND, DEFAULT

_TOKEN = r"[1-9][0-9]{0,18}:[A-Za-z0-9_-]{20,72}"  # noqa: S105 - a pattern, no token
_SECRET = r"[A-Za-z0-9_-]{16,256}"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings. `groups`: how messages in groups and channels count, see `SettingsSchema`."""

    token: str = field(repr=False)
    secret_token: str = field(default="", repr=False)
    previous_secret_token: str = field(default="", repr=False)
    api_url: str = "https://api.telegram.org"
    intake: str = "webhook"
    groups: str = "private"
    commands: Mapping[str, str] = field(default_factory=dict)
    """What the bot's menu offers: each command with what it says there."""

    @property
    def bot_id(self) -> str:
        """The bot's own user id: the public half of its token."""
        return self.token.partition(":")[0]


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a Telegram bot."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    token = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(rf"{_TOKEN}\Z"), error="This is no bot token; @BotFather shows it as 123456:ABC…"),
        metadata={"help": "The bot's token, from @BotFather.", "secret": True},
    )
    secret_token = fields.String(
        load_default="",
        validate=validate.Regexp(re.compile(rf"({_SECRET})?\Z"), error="Use 16 to 256 of A-Z a-z 0-9 _ and -."),
        metadata={
            "help": "A secret of your own choice: 16 to 256 of A-Z a-z 0-9 _ -. Telegram sends it with every update; nothing else "
            'proves that an update is Telegram\'s. Needed for intake = "webhook".',
            "secret": True,
            "made": True,
        },
    )
    previous_secret_token = fields.String(
        load_default="",
        validate=validate.Regexp(re.compile(rf"({_SECRET})?\Z"), error="Use 16 to 256 of A-Z a-z 0-9 _ and -."),
        metadata={
            "help": "While you change the secret: the old one, still accepted until the webhook is registered with the new one. Then empty it.",
            "secret": True,
        },
    )
    api_url = fields.String(
        load_default="https://api.telegram.org",
        metadata={"help": "Where the Bot API is, without the token. Change it only for a Bot API server of your own.", "secret": False},
    )
    intake = fields.String(
        load_default="webhook",
        validate=validate.OneOf(("webhook", "poll")),
        metadata={
            "help": '"webhook": Telegram calls us, which needs a public https address. "poll": we ask Telegram every few seconds. '
            "Never both: Telegram refuses to be asked while a webhook is set.",
            "secret": False,
        },
    )
    groups = fields.String(
        load_default="private",
        validate=validate.OneOf(("private", "public", "ignore")),
        metadata={
            "help": 'Messages in groups and channels. "private": only the members read them. "public": treat what is said there like '
            'public posts (approval, preflight and the crossover apply). "ignore": count them and go on. Chats with one person are '
            "always private.",
            "secret": False,
        },
    )

    commands = fields.List(
        fields.String(
            validate=validate.Regexp(re.compile(rf"{COMMAND}: \S.{{0,254}}\Z"), error="Write it so: “status: Ask how my request stands”.")
        ),
        load_default=list(DEFAULT),
        validate=validate.Length(max=100),
        metadata={
            "help": "The commands of the bot's menu, each as “name: what it says in the menu”. They arrive as messages, with that meaning beside "
            "them. An empty list leaves the menu as @BotFather knows it.",
            "secret": False,
        },
    )

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Rules over several fields."""
        if data.get("intake") == "webhook" and not data.get("secret_token"):
            raise ValidationError(
                'intake = "webhook" needs a secret_token: nothing else proves that an update is Telegram\'s.', "secret_token"
            )
        if not _is_base(data.get("api_url", "")):
            raise ValidationError("Give an address such as https://api.telegram.org, without a token and without a query.", "api_url")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        commands = dict(command.split(": ", 1) for command in data["commands"])
        return Settings(**{**data, "api_url": data["api_url"].rstrip("/"), "commands": commands})


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        return False
