"""The events of the contract as marshmallow schemas: types are strict, unknown fields are left out and named. See docs/webhook-channel.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from plugin.domain.events import DeliveryStatus

LONGEST_ID = 200
LONGEST_TEXT = 100_000
MOST_FILES = 20
OWN_PREFIX = "x_"
"""Fields so called are the other side's own and never remarked upon."""
ADDRESS = r"https?://[!-~]+"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
_MOMENT = re.compile(MOMENT)
_VISIBILITIES = ("public", "private")


class Flag(fields.Field):
    """true or false, and nothing that only looks like it."""

    default_error_messages = {"invalid": "Not true or false."}  # noqa: RUF012 - marshmallow declares it so

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Moment(fields.Field):
    """RFC 3339 with an offset; becomes an aware datetime in UTC."""

    default_error_messages = {"invalid": "Not a time such as 2026-11-21T12:00:00Z."}  # noqa: RUF012 - marshmallow declares it so

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.make_error("invalid")
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


def _id(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=LONGEST_ID), **options)


def _words(longest: int, **options: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=longest), **options)


def _address(**options: Any) -> fields.String:
    return fields.String(
        validate=[validate.Length(max=2_000), validate.Regexp(rf"{ADDRESS}\Z", error="Not an http(s) address.")], **options
    )


class Wire(Schema):
    """What comes from the other side."""

    class Meta:
        """A newer sender may say more than we know."""

        unknown = EXCLUDE


class Envelope(Wire):
    """Every event, as Standard Webhooks recommends it."""

    type = _words(100, required=True)
    timestamp = Moment(required=True)
    data = fields.Dict(keys=fields.String(), required=True)


class Author(Wire):
    """A contact."""

    id = _id(required=True)
    name = _words(200)
    handle = _words(200)
    url = _address()
    avatar_url = _address()
    language = _words(35)
    is_bot = Flag()
    is_verified = Flag()
    followers = fields.Integer(strict=True, validate=validate.Range(min=0, max=10**12))
    created_at = Moment()
    reputation = fields.Integer(strict=True, validate=validate.Range(min=-(10**12), max=10**12))


class AttachedFile(Wire):
    """A file by its address or, small ones, by its base64."""

    url = _address()
    content = fields.String()
    filename = _words(200)
    content_type = _words(100)
    size = fields.Integer(strict=True, validate=validate.Range(min=0, max=10**12))
    description = _words(2_000)

    @validates_schema
    def check_whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if ("url" in data) == ("content" in data):
            raise ValidationError("Give either url or content.")


class Whereabouts(Wire):
    """The conversation. In events about a known message it may be left out."""

    conversation_id = _id()
    visibility = fields.String(validate=validate.OneOf(_VISIBILITIES))


class Created(Whereabouts):
    """`message.created`."""

    conversation_id = _id(required=True)
    message_id = _id(required=True)
    author = fields.Nested(Author, required=True)
    text = _words(LONGEST_TEXT, required=True)
    format = fields.String(validate=validate.OneOf(("plain", "html")))
    attachments = fields.List(fields.Nested(AttachedFile), validate=validate.Length(max=MOST_FILES))
    reply_to = _id()
    url = _address()
    from_company = Flag()
    client_id = _id()


class Edited(Whereabouts):
    """`message.edited`: the whole message as it is now."""

    message_id = _id(required=True)
    author_id = _id()
    text = _words(LONGEST_TEXT, required=True)
    format = fields.String(validate=validate.OneOf(("plain", "html")))
    attachments = fields.List(fields.Nested(AttachedFile), validate=validate.Length(max=MOST_FILES))
    from_company = Flag()


class Deleted(Whereabouts):
    """`message.deleted`."""

    message_id = _id(required=True)
    from_company = Flag()


class Reaction(Whereabouts):
    """`reaction.changed`."""

    message_id = _id(required=True)
    author = fields.Nested(Author, required=True)
    emoji = fields.String(required=True, validate=validate.Length(min=1, max=100))
    added = Flag(required=True)


class Delivery(Wire):
    """`delivery.updated`."""

    message_id = _id(required=True)
    status = fields.String(required=True, validate=validate.OneOf([one.value for one in DeliveryStatus]))
    detail = _words(1_000)


class Reachability(Whereabouts):
    """`contact.reachability`."""

    conversation_id = _id(required=True)
    reachable = Flag(required=True)
    detail = _words(1_000)


KINDS: Mapping[str, type[Wire]] = {
    "message.created": Created,
    "message.edited": Edited,
    "message.deleted": Deleted,
    "reaction.changed": Reaction,
    "delivery.updated": Delivery,
    "contact.reachability": Reachability,
}


def unknown_fields(schema: Schema, data: Any, at: str = "") -> Iterator[str]:
    """The fields of `data`, and of what lies in it, that the contract does not know."""
    if not isinstance(data, Mapping):
        return
    for name, value in data.items():
        known = schema.fields.get(name)
        if known is None:
            if not name.startswith(OWN_PREFIX):
                yield f"{at}{name}"
        elif isinstance(known, fields.Nested):
            yield from unknown_fields(known.schema, value, f"{at}{name}.")
        elif isinstance(known, fields.List) and isinstance(known.inner, fields.Nested) and isinstance(value, list):
            for item in value:
                yield from unknown_fields(known.inner.schema, item, f"{at}{name}.")


def mistakes(messages: Any, at: str = "") -> Iterator[str]:
    """The messages of marshmallow as `field: sentence`. They name fields and rules, never values."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from mistakes(inner, at if name == "_schema" else f"{at}.{name}" if at else str(name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from mistakes(inner, at)
    else:
        yield f"{at}: {messages}"
