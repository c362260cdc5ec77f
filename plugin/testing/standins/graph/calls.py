"""One call as the stand-in's Graph reads it: closed parameters, the right content type. Whatever is unknown is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.graph.refusals import Refused, invalid
from plugin.testing.standins.graph.world import Json

_ALWAYS = frozenset({"appsecret_proof"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a multipart form."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`body` holds JSON or form fields; `ids` what the path holds."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Json
    files: Mapping[str, Upload] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    host: str = ""

    def check(self, params: str, body: str, files: str) -> None:
        """Refuse what the method does not know; each argument names what it knows."""
        for given, known, what in (
            (self.params, frozenset(params.split()) | _ALWAYS, "parameter"),
            (self.body, frozenset(body.split()), "field"),
            (self.files, frozenset(files.split()), "file"),
        ):
            for name in given:
                if name not in known:
                    raise invalid(f"Unknown {what} {name} for {self.method} {self.path} (the real one may ignore it)")

    def text(self, name: str, longest: int, *, in_bytes: bool = False) -> str:
        """A text that is there and not too long."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise invalid(f"Param {name} must be a non-empty string")
        if (len(value.encode()) if in_bytes else len(value)) > longest:
            raise invalid(f"Length of param {name} must be less than or equal to {longest}")
        return value

    def object(self, name: str, known: str) -> Json:
        """An object with no other fields than those; forms bring it as JSON."""
        value = self.body.get(name)
        try:
            value = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise invalid(f"Param {name} must be an object")
        return closed(value, name, known)


def closed(value: Json, name: str, known: str) -> Json:
    """The object, if it holds nothing else than `known`."""
    for one in value:
        if one not in known.split():
            raise invalid(f"Unknown field {name}.{one}")
    return value


def whatsapp_invalid(reason: str) -> Refused:
    """131009: WhatsApp's word for a wrong parameter."""
    return Refused(131009, f"Parameter value is not valid: {reason}")


def field_of(value: Any, name: str) -> str:
    """A string inside an object, "" where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
