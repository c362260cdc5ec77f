"""Events and messages as JSON and back, by their type hints: what the store keeps and what fixtures show.

Shapes: a dataclass is an object without the fields that hold their default; a datetime is ISO 8601; tuples are arrays. Unknown keys are
refused, so that a misspelt fixture fails.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from plugin.domain.events import EVENT_TYPES, Event

T = TypeVar("T")
_TYPE = "type"


def encode(value: Any) -> Any:
    """`value` as plain JSON data."""
    if value is None or isinstance(value, (bool, int, float)) or type(value) is str:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    encoded = {}
    for name, default in _fields(cast(Any, type(value))):
        item = getattr(value, name)
        if default is dataclasses.MISSING or item != default:
            encoded[name] = encode(item)
    return encoded


def decode(kind: type[T], data: Any) -> T:
    """`data`, made by `encode`, as a `kind`.

    Raises:
        ValueError: it does not fit.
    """
    return cast(T, _decoder(cast(Any, kind))(data))


def encode_event(event: Event) -> dict[str, Any]:
    """An event with its type's name under `type`."""
    return {_TYPE: type(event).__name__, **encode(event)}


def decode_event(data: Mapping[str, Any]) -> Event:
    """The reverse of `encode_event`.

    Raises:
        ValueError: unknown type or fields.
    """
    kind = EVENT_TYPES.get(str(data.get(_TYPE)))
    if kind is None:
        raise ValueError(f"no event is called {data.get(_TYPE)!r}")
    return decode(kind, {key: item for key, item in data.items() if key != _TYPE})


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in dataclasses.fields(kind))


@cache
def _decoder(hint: Any) -> Callable[[Any], Any]:
    if isinstance(hint, NewType):
        return _decoder(hint.__supertype__)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (_decoder(item) for item in get_args(hint) if item is not type(None))
        return lambda data: None if data is None else inner(data)
    if origin is tuple:
        item = _decoder(get_args(hint)[0])
        return lambda data: tuple(item(part) for part in data)
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if dataclasses.is_dataclass(hint):
        return _dataclass_decoder(cast(type[Any], hint))
    return _plain_decoder(hint)


def _dataclass_decoder(kind: type[Any]) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    decoders = {field.name: _decoder(hints[field.name]) for field in dataclasses.fields(kind)}

    def decode_dataclass(data: Mapping[str, Any]) -> Any:
        values = {}
        for name, item in data.items():
            decoder = decoders.get(name)
            if decoder is None:
                raise ValueError(f"{kind.__name__} has no {', '.join(sorted(data.keys() - decoders.keys()))}")
            values[name] = decoder(item)
        return kind(**values)

    return decode_dataclass


def _plain_decoder(hint: Any) -> Callable[[Any], Any]:
    def decode_plain(data: Any) -> Any:
        if not isinstance(data, hint) and not (hint is float and isinstance(data, int)):
            raise ValueError(f"{data!r} is no {hint.__name__}")
        return data

    return decode_plain
