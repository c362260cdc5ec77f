"""What the practice network's API takes, to the letter: unknown fields and wrong types are refused."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from ui_extensions.rehearsal.network import model
from ui_extensions.rehearsal.network.model import Refused


class _Strict(Schema):
    class Meta:
        unknown = RAISE


_REF = validate.And(validate.Length(min=1, max=model.CLIENT_REF_LIMIT), validate.Regexp(r"[A-Za-z0-9._:-]+\Z"))
_ID = validate.Length(min=1, max=64)


class NewPost(_Strict):
    """`POST /api/v1/posts`."""

    text = fields.String(load_default="")
    reply_to = fields.String(load_default="", validate=_ID)
    media = fields.List(fields.String(validate=_ID), load_default=list)
    client_ref = fields.String(load_default="", validate=_REF)


class NewMessage(NewPost):
    """`POST /api/v1/messages`."""

    to = fields.String(load_default="", validate=_ID)
    choices = fields.List(fields.String(), load_default=list)


class ChangedPost(_Strict):
    """`PATCH` of a post or message; `media` left out leaves the files alone."""

    text = fields.String(required=True)
    media = fields.List(fields.String(validate=_ID))


class Webhook(_Strict):
    """`PUT /api/v1/webhook`."""

    url = fields.Url(required=True, schemes={"http", "https"}, require_tld=False)
    secret = fields.String(required=True, validate=validate.Length(min=16, max=200))


class EventsQuery(_Strict):
    """`GET /api/v1/events`."""

    after = fields.String(load_default=None, validate=_ID)
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 200))


class FindQuery(_Strict):
    """`GET /api/v1/posts`."""

    client_ref = fields.String(required=True, validate=_REF)


class NewCustomer(_Strict):
    """`POST /rehearsal/customers`."""

    handle = fields.String(required=True)
    name = fields.String(load_default="")


def read(schema: type[Schema], data: Any) -> Any:
    """`data` as the schema has it.

    Raises:
        Refused: 422, with the first thing that is wrong.
    """
    try:
        return schema().load(data)
    except ValidationError as problem:
        raise Refused(422, "invalid", _first(problem.messages)) from None


def _first(messages: Any, path: str = "") -> str:
    if isinstance(messages, dict):
        name, inner = next(iter(messages.items()))
        return _first(inner, path if name == "_schema" else f"{path}.{name}" if path else str(name))
    return f"{path or 'body'}: {messages[0] if isinstance(messages, list) and messages else messages}"
