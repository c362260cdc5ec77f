"""What the admin configures, and the frame that every room event has. Knows nothing of the calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

_USER_ID = re.compile(r"@[a-z0-9._=/+-]+:[A-Za-z0-9.\-:\[\]]+")

ENCRYPTED_NOTICE = {
    "en": "This room is end-to-end encrypted, so we cannot read what is written here. Please write to us in a room without encryption, "
    "for instance in a new chat in which encryption is switched off before the first message.",
    "de": "Dieser Raum ist Ende-zu-Ende-verschlüsselt, daher können wir nicht lesen, was hier geschrieben wird. Bitte schreiben Sie uns in einem Raum ohne "
    "Verschlüsselung, zum Beispiel in einem neuen Chat, in dem die Verschlüsselung vor der ersten Nachricht ausgeschaltet wird.",
}
"""By language. Nobody can know the language of what cannot be read, so all of them are said."""
_LONGEST_NOTICE = 2000


def _check_notice(value: Any) -> None:
    texts = value.values() if isinstance(value, dict) else [value]
    if not all(isinstance(one, str) for one in texts):
        raise ValidationError('Write one text, or one for each language: {en = "...", de = "..."}.')
    if sum(map(len, texts)) > _LONGEST_NOTICE:
        raise ValidationError(f"Longer than {_LONGEST_NOTICE} characters in all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixSettings:
    """One bot on one homeserver."""

    homeserver_url: str
    user_id: str
    as_token: str = field(repr=False)
    hs_token: str = field(repr=False)
    appservice_id: str
    public_rooms: frozenset[str] = frozenset()
    accept_invites: bool = True
    encrypted_notice: str = ""
    """In all languages in which it is said, one below the other."""

    @property
    def localpart(self) -> str:
        """The bot's name on its homeserver: `support` of `@support:example.org`."""
        return self.user_id[1:].partition(":")[0]


class MatrixSettingsSchema(Schema):
    """`[channel.NAME]` of a Matrix channel. Unknown keys are mistakes."""

    class Meta:
        """A misspelt key must not pass."""

        unknown = RAISE

    homeserver_url = fields.Url(
        required=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"help": "Where the homeserver's client API answers, such as https://matrix.example.org", "secret": False},
    )
    user_id = fields.String(
        required=True,
        validate=validate.And(
            validate.Regexp(re.compile(_USER_ID.pattern + r"\Z"), error="Write the bot's whole id, such as @support:example.org."),
            validate.Length(max=255),
        ),
        metadata={"help": "The bot's whole user id, such as @support:example.org. Nobody may have it yet", "secret": False},
    )
    as_token = fields.String(
        required=True,
        validate=validate.Length(min=16),
        metadata={"help": "Our token at the homeserver: any long random text, the same as in the registration", "secret": True},
    )
    hs_token = fields.String(
        required=True,
        validate=validate.Length(min=16),
        metadata={"help": "The homeserver's token here: another long random text, the same as in the registration", "secret": True},
    )
    appservice_id = fields.String(
        load_default="",
        validate=validate.Regexp(r"[a-z0-9._-]*\Z", error="Use small letters, digits, dots, dashes and underscores."),
        metadata={"help": "The registration's id; left out, it is crossdesk- and the bot's name", "secret": False},
    )
    public_rooms = fields.List(
        fields.String(validate=validate.Regexp(r"![^\s]+\Z", error="Write the room's id, which begins with an exclamation mark.")),
        load_default=list,
        metadata={
            "help": "Ids of rooms that anyone may join; what is said in them counts as public. All others are private",
            "secret": False,
        },
    )
    encrypted_notice = fields.Raw(
        load_default=lambda: dict(ENCRYPTED_NOTICE),
        validate=_check_notice,
        metadata={
            "help": "What the bot says, once, in a room whose messages it cannot read: one text, or one for each language; empty: nothing",
            "secret": False,
        },
    )
    accept_invites = fields.Boolean(
        load_default=True,
        metadata={"help": "Whether the bot joins every room it is invited to", "secret": False},
    )

    @validates_schema
    def refuse_one_token_for_both(self, data: dict[str, Any], **_: Any) -> None:
        """One token for both directions would let a leaked webhook log act as the bot."""
        if data.get("as_token") and data.get("as_token") == data.get("hs_token"):
            raise ValidationError("as_token and hs_token must differ.", "hs_token")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> MatrixSettings:
        """The settings as the adapter uses them."""
        localpart = data["user_id"][1:].partition(":")[0]
        return MatrixSettings(
            homeserver_url=data["homeserver_url"].rstrip("/"),
            user_id=data["user_id"],
            as_token=data["as_token"],
            hs_token=data["hs_token"],
            appservice_id=data["appservice_id"] or "crossdesk-" + re.sub(r"[^a-z0-9._-]", "-", localpart),
            public_rooms=frozenset(data["public_rooms"]),
            accept_invites=data["accept_invites"],
            encrypted_notice=_in_all_languages(data["encrypted_notice"]),
        )


def _in_all_languages(notice: str | dict[str, str]) -> str:
    texts = notice.values() if isinstance(notice, dict) else [notice]
    return "\n\n".join(text.strip() for text in texts if text.strip())


class RoomEventSchema(Schema):
    """The frame of a room event (Matrix spec, Client-Server API, "Room event format"); the content is read with care elsewhere."""

    class Meta:
        """Servers add fields as they like."""

        unknown = EXCLUDE

    event_id = fields.String(required=True, validate=validate.Length(min=1, max=255))
    room_id = fields.String(required=True, validate=validate.Length(min=1, max=255))
    sender = fields.String(required=True, validate=validate.Length(min=1, max=255))
    type = fields.String(required=True)
    content = fields.Dict(load_default=dict)
    unsigned = fields.Dict(load_default=dict)
    origin_server_ts = fields.Raw(load_default=None)
    state_key = fields.String(load_default=None, allow_none=True)
    redacts = fields.Raw(load_default=None)
