"""The settings of one X account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from plugin.platforms._oauth.settings import bare, check_addresses, check_credentials

_URLS = ("api_url", "site_url")
SHORTEST_POST, LONGEST_POST = 280, 25_000
_READING = ("tweet.read", "users.read", "offline.access")
_PUBLIC = ("tweet.write", "media.write", "tweet.moderate.write")
_PRIVATE = ("dm.read", "dm.write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated settings; see `SettingsSchema` for what each means."""

    account_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    previous_consumer_secret: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    intake: str = "activity"
    direct_messages: bool = True
    links: str = "tell"
    longest_post: int = SHORTEST_POST
    spelling: str = "tweet"
    api_url: str = "https://api.x.com"
    site_url: str = "https://x.com"

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the account must allow (X documentation, "OAuth 2.0 Authorization Code Flow with PKCE", scopes)."""
        return (*_READING, *_PUBLIC, *(_PRIVATE if self.direct_messages else ()))


class SettingsSchema(Schema):
    """What stands under `[channel.NAME]` for an X account."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    account_id = fields.String(
        required=True,
        validate=validate.Regexp(re.compile(r"[1-9][0-9]{0,18}\Z"), error="Give the account's number, not its @name."),
        metadata={
            "help": "The account's number. In the X developer console it is what stands before the dash in an Access Token that you generate.",
            "secret": False,
        },
    )
    client_id = fields.String(
        required=True,
        validate=validate.Length(min=8, max=200),
        metadata={"help": "OAuth 2.0 Client ID of your app, from the X developer console.", "secret": False},
    )
    client_secret = fields.String(
        load_default="",
        metadata={"help": "OAuth 2.0 Client Secret. Leave it out only if the app is a public client (a native app).", "secret": True},
    )
    consumer_secret = fields.String(
        load_default="",
        metadata={
            "help": "The app's API Key Secret (consumer secret): X signs its webhooks with it. Needed unless intake is poll.",
            "secret": True,
        },
    )
    previous_consumer_secret = fields.String(
        load_default="",
        metadata={"help": "While you change the API Key Secret: the old one, still accepted. Empty it afterwards.", "secret": True},
    )
    bearer_token = fields.String(
        load_default="",
        metadata={
            "help": "The app's Bearer Token: webhooks are registered and looked after with it. Needed unless intake is poll.",
            "secret": True,
        },
    )
    intake = fields.String(
        load_default="activity",
        validate=validate.OneOf(("activity", "account_activity", "poll")),
        metadata={
            "help": '"activity": webhooks of the X Activity API. "account_activity": webhooks of the older Account Activity API. "poll": no '
            "webhooks, X is asked every two minutes. It is asked with webhooks, too, for what they missed.",
            "secret": False,
        },
    )
    direct_messages = fields.Boolean(
        load_default=True,
        metadata={"help": "Whether direct messages are read and answered. Without them, no permission for them is asked.", "secret": False},
    )
    links = fields.String(
        load_default="tell",
        validate=validate.OneOf(("tell", "allow", "refuse")),
        metadata={
            "help": 'X bills a public post that holds a link about 13 times as high as one without. "tell": send it and say so in the ticket. '
            '"allow": send it. "refuse": do not send it; the agent is told to take the link out or to answer in private.',
            "secret": False,
        },
    )
    longest_post = fields.Integer(
        load_default=SHORTEST_POST,
        validate=validate.Range(min=SHORTEST_POST, max=LONGEST_POST),
        metadata={"help": "Longest public post, by X's own count. 280, or up to 25000 for a Premium account.", "secret": False},
    )
    spelling = fields.String(
        load_default="tweet",
        validate=validate.OneOf(("tweet", "post")),
        metadata={
            "help": 'X is renaming its parameters from "tweet" to "post". What comes is read in either spelling; this is the one we ask with. '
            'Change it to "post" when X no longer takes the old one.',
            "secret": False,
        },
    )
    api_url = fields.String(load_default="https://api.x.com", metadata={"help": "Where X's API is.", "secret": False})
    site_url = fields.String(load_default="https://x.com", metadata={"help": "Where people use X in a browser.", "secret": False})

    @validates_schema
    def check_whole(self, data: dict[str, Any], **_: Any) -> None:
        """Rules over several fields."""
        if data.get("intake") != "poll":
            for name in ("consumer_secret", "bearer_token"):
                if not data.get(name):
                    raise ValidationError(
                        "Webhooks need it: see the README, step 3. Or set intake to poll, and X is asked every two minutes instead.", name
                    )
        check_addresses(data, _URLS)
        check_credentials(data, ("client_id", "client_secret", "consumer_secret", "previous_consumer_secret", "bearer_token"), whose="X")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Settings:
        """The validated settings, frozen."""
        return Settings(**{**data, **bare(data, _URLS)})
