"""A settings schema as questions for people, and what they type as the values that the schema reads. Knows no terminal and no page."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, missing, validate

from plugin.contracts.settings import SettingsSchema

MADE = frozenset({"verify_token", "webhook_token", "webhook_secret", "secret_token", "address_secret", "as_token", "hs_token"})
"""Secrets that both sides only have to share: where nobody gives one, it is made, if the schema requires it or says so (`metadata={"made": True}`)."""
_YES = frozenset({"true", "yes", "y", "1", "on"})


class Kind(StrEnum):
    """How an answer is given."""

    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    LIST = "list"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One setting. `default`: what is meant where nothing is given, as it would be typed; `is_made`: a missing one is made."""

    name: str
    help: str
    kind: Kind
    is_secret: bool
    is_required: bool
    is_made: bool
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was made of a form: values as the schema reads them, and for each setting that cannot be used a sentence."""

    values: Mapping[str, Any] = field(repr=False)
    problems: Mapping[str, str]
    """By setting; what concerns several stands under the empty name."""


def questions(schema: SettingsSchema) -> list[Question]:
    """What a schema asks for; tables stand in the file alone."""
    return [_question(name, declared) for name, declared in schema.fields.items() if not isinstance(declared, fields.Mapping)]


def is_made(name: str, declared: Any) -> bool:
    """Whether a setting is made where nobody gives it."""
    return name in MADE and (bool(declared.required) or declared.metadata.get("made") is True)


def typed(value: Any) -> str:
    """A value as one would type it."""
    if value is None or value is missing or callable(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def parse(declared: Any, text: str) -> Any:
    """What was typed, as the schema reads it; whether it is in order is the schema's own matter.

    Raises:
        ValidationError: it is no number.
    """
    if isinstance(declared, fields.List):
        return [item for item in (part.strip() for part in text.replace("\n", ",").split(",")) if item]
    if isinstance(declared, fields.Boolean):
        return text.strip().lower() in _YES
    if isinstance(declared, fields.Number):
        try:
            return int(text) if isinstance(declared, fields.Integer) else float(text)
        except ValueError:
            raise ValidationError("must be a number.") from None
    return text


def answer(schema: SettingsSchema, given: Mapping[str, str], before: Mapping[str, Any], *, forget: Collection[str] = ()) -> Answers:
    """The settings after somebody filled in a form. A secret that is left empty stays as it was `before`, unless it is in `forget`.

    What cannot be used leaves what was there before; no sentence repeats a secret.
    """
    values: dict[str, Any] = {name: value for name, value in before.items() if name in schema.fields}
    problems: dict[str, str] = {}
    for question in questions(schema):
        name, text = question.name, given.get(question.name, "").replace("\0", "").strip()
        if name in forget:
            values.pop(name, None)
        if not text and question.kind is not Kind.YES_NO:
            if not question.is_secret:
                values.pop(name, None)
            if question.is_made and name not in values:
                values[name] = secrets.token_urlsafe(32).replace("-", "_")
            continue
        try:
            value = parse(schema.fields[name], text)
            schema.fields[name].deserialize(value)
        except ValidationError as invalid:
            problems[name] = _sentence(invalid.messages, text, is_secret=question.is_secret)
        else:
            values[name] = value
    for name, said in _whole(schema, values).items():
        problems.setdefault(name, said)
    return Answers(values=values, problems=problems)


def problems_of(schema: SettingsSchema, values: Mapping[str, Any]) -> Mapping[str, str]:
    """What stands against these settings, by name."""
    return _whole(schema, values)


def _whole(schema: SettingsSchema, values: Mapping[str, Any]) -> dict[str, str]:
    try:
        schema.load(values)
    except ValidationError as invalid:
        messages = invalid.messages if isinstance(invalid.messages, Mapping) else {"": invalid.messages}
        return {name if name in schema.fields else "": _redacted(schema, values, said) for name, said in messages.items()}
    return {}


def _redacted(schema: SettingsSchema, values: Mapping[str, Any], messages: Any) -> str:
    said = _sentence(messages, "", is_secret=False)
    for name, value in values.items():
        if schema.fields[name].metadata.get("secret") and isinstance(value, str) and len(value) > 3:
            said = said.replace(value, "[secret]")
    return said


def _question(name: str, declared: Any) -> Question:
    chosen = next((each for each in declared.validators if isinstance(each, validate.OneOf)), None)
    kinds = ((fields.Boolean, Kind.YES_NO), (fields.Number, Kind.NUMBER), (fields.List, Kind.LIST))
    kind = Kind.CHOICE if chosen is not None else next((kind for type_, kind in kinds if isinstance(declared, type_)), Kind.TEXT)
    return Question(
        name=name,
        help=str(declared.metadata.get("help", "")),
        kind=kind,
        is_secret=bool(declared.metadata.get("secret")),
        is_required=bool(declared.required),
        is_made=is_made(name, declared),
        default=typed(declared.load_default),
        choices=tuple(map(str, chosen.choices)) if chosen is not None else (),
    )


def _sentence(messages: Any, text: str, *, is_secret: bool) -> str:
    said = " ".join(flat(messages))
    if text and is_secret:
        said = said.replace(text, "[what was given]")
    worded = {"Missing data for required field.": "is missing.", "Not a valid URL.": "is no address such as https://example.com."}
    return worded.get(said, said)


def flat(messages: Any) -> list[str]:
    """The sentences of a schema's refusal, whatever its shape."""
    if isinstance(messages, Mapping):
        return [each for inner in messages.values() for each in flat(inner)]
    return [each for inner in messages for each in flat(inner)] if isinstance(messages, list) else [str(messages)]
