"""Facts about what happens, one JSON object a line, for machines; readable lines where a person watches. No secrets, no bodies.

Everybody logs through `structlog.get_logger()`; other libraries' `logging` records take the same way. What comes from outside cannot
break out of its line: every control character is escaped. This module knows no setting and no part of Crossdesk.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog

REDACTED = "[redacted]"
_LONGEST = 2000
_DEEPEST = 6
_SECRET_NAMES = re.compile(r"(?i)token|secret|passw|authori[sz]ation|cookie|api[_-]?key|signature|credential")
_BODY_NAMES = frozenset({"body", "content", "html", "payload", "raw", "text"})
_SHAPES = (
    re.compile(r"(?i)(?<=\bbearer )[\w~+/.=-]{6,}|(?<=\bbasic )[\w+/=-]{6,}"),
    re.compile(r"(?i)(?<=\bauthorization: )[^\r\n,;\"']+"),
    re.compile(
        r"(?i)(?<![\w-])((?:[\w-]*(?:token|secret|passw(?:or)?d|api[_-]?key|signature|cookie))[\"']?\s?[=:]\s?[\"']?)[^\s&\"',;)}]+"
    ),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
)
_registered: dict[str, None] = {}
_Event = MutableMapping[str, Any]


def register_secrets(secrets: Iterable[str]) -> None:
    """Never show these again, nor their forms in a URL. Values under four characters are too common to hide."""
    for secret in secrets:
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
            if len(form) > 3:
                _registered[form] = None


def redacted(text: str) -> str:
    """`text` without registered secrets and without what looks like one."""
    for secret in sorted(_registered, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    for shape in _SHAPES:
        text = shape.sub(lambda found: (found[1] if found.re.groups else "") + REDACTED, text)
    return text


def configure(*, stream: TextIO | None = None, is_pretty: bool | None = None, level: int = logging.INFO) -> None:
    """Send everything to `stream` (standard error); readable if `is_pretty`, by default where it is a terminal."""
    target = sys.stderr if stream is None else stream
    render = _pretty if (target.isatty() if is_pretty is None else is_pretty) else _json
    shared: list[Any] = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, _stamp]
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _explain, _clean, render]
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*shared, _name_library], processors=final))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for loud in ("rq", "urllib3", "alembic", "werkzeug", "sqlalchemy"):
        logging.getLogger(loud).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _stamp(_logger: Any, _method: str, event: _Event) -> _Event:
    return {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}


def _name_library(_logger: Any, _method: str, event: _Event) -> _Event:
    record = event.get("_record")
    return event if record is None else {**event, "library": record.name}


def _explain(_logger: Any, _method: str, event: _Event) -> _Event:
    """An exception as its kind, the first line of its words (the next ones quote data) and where it went through."""
    info = event.pop("exc_info", None)
    event.pop("exc_text", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if info else None
    if error is not None:
        event["error"] = type(error).__qualname__
        event["says"] = (str(error).splitlines() or [""])[0]
        frames = traceback.extract_tb(error.__traceback__)[-12:]
        event["through"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _clean(_logger: Any, _method: str, event: _Event) -> _Event:
    return {key: _cleaned(value, key, 0) for key, value in event.items()}


def _cleaned(value: Any, name: str, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAMES.search(name):
        return REDACTED
    if name in _BODY_NAMES:
        return f"[{len(value)} not logged]" if isinstance(value, str | bytes | list | dict) else "[not logged]"
    if depth >= _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {redacted(str(key)): _cleaned(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner, "", depth + 1) for inner in value]
    text = value if isinstance(value, str) else f"[{len(value)} bytes]" if isinstance(value, bytes) else str(value)
    text = redacted(text[: 2 * _LONGEST])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def _json(_logger: Any, _method: str, event: _Event) -> str:
    """ASCII alone, so that neither control characters nor lone surrogates nor reversed writing reach a terminal or a collector."""
    return json.dumps(event, default=str)


def _pretty(_logger: Any, _method: str, event: _Event) -> str:
    time, level, said = str(event.pop("time", ""))[11:19], str(event.pop("level", "")), str(event.pop("event", ""))
    facts = " ".join(f"{_printable(key)}={_printable(value if isinstance(value, str) else str(value))}" for key, value in event.items())
    return f"{time} {level:<8}{_printable(said)}{'  ' if facts else ''}{facts}"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii") for letter in text)
