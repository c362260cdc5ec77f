"""The settings of one Reddit account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate, validates_schema

from plugin.platforms._oauth.settings import bare, check_addresses, check_credentials

_NAME = re.compile(r"[A-Za-z0-9_-]{2,30}\Z")
_URLS = ("api_url", "site_url")
_SCOPES = ("identity", "read", "history", "submit", "edit", "privatemessages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema` for what each means."""

    username: str
    client_id: str
    client_secret: str = field(repr=False)
    password: str = field(repr=False)
    subreddits: tuple[str, ...]
    private_messages: bool
    modmail: bool
    poll_seconds: float
    api_url: str
    site_url: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """Mentions and answers stand in the inbox, which Reddit opens by `privatemessages` alone."""
        return (*_SCOPES, "modmail") if self.modmail else _SCOPES

    @property
    def user_agent(self) -> str:
        """As Reddit's API rules want it: platform, app, version and the account responsible."""
        return f"web:crossdesk.{self.client_id}:1 (by /u/{self.username})"


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for a Reddit account."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    username = fields.String(
        required=True,
        validate=validate.Regexp(_NAME, error="Give the account's name without u/."),
        metadata={"help": "The account's name, without u/.", "secret": False},
    )
    client_id = fields.String(
        required=True,
        validate=validate.Length(min=6, max=100),
        metadata={"help": "The app's id: the letters below its name at reddit.com/prefs/apps.", "secret": False},
    )
    client_secret = fields.String(
        required=True, validate=validate.Length(min=6, max=100), metadata={"help": "The app's secret.", "secret": True}
    )
    password = fields.String(
        load_default="",
        metadata={"help": "Only for an app of the type script: the account's password. Leave it out for a web app.", "secret": True},
    )
    subreddits = fields.List(
        fields.String(validate=validate.Regexp(_NAME, error="Give the subreddit's name without r/.")),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"help": "Subreddits whose every post and comment comes in, without r/: your own ones.", "secret": False},
    )
    private_messages = fields.Boolean(
        load_default=True,
        metadata={"help": "Whether private messages are read, as far as Reddit still hands them out.", "secret": False},
    )
    modmail = fields.Boolean(
        load_default=False,
        metadata={
            "help": "Whether what people write to the moderators of the subreddits comes in. The account must be one of them, with access to modmail.",
            "secret": False,
        },
    )
    poll_seconds = fields.Float(
        load_default=60.0,
        validate=validate.Range(min=10, max=3600),
        metadata={"help": "How often to look for news, in seconds. Each look is four to seven calls.", "secret": False},
    )
    api_url = fields.String(load_default="https://oauth.reddit.com", metadata={"help": "Where Reddit's API is.", "secret": False})
    site_url = fields.String(load_default="https://www.reddit.com", metadata={"help": "Where people use Reddit.", "secret": False})

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Addresses that tokens may travel to, and credentials that can be some."""
        check_addresses(data, _URLS)
        check_credentials(data, ("client_id", "client_secret"), whose="Reddit", without=":")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, **bare(data, _URLS), "subreddits": tuple(data["subreddits"])})
