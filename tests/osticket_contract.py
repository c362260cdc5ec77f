"""Holds both sides of the osTicket contract to its one schema: an HTTP client through which every call and answer is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from plugin.contracts.http import HttpClient, HttpResponse

SCHEMA = Path(__file__).parents[1] / "ui_extensions" / "osticket" / "contract.schema.json"


@cache
def _whole() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return read


@cache
def validator(*path: str) -> Draft202012Validator:
    """For a part of the contract: `("properties", "about", "properties", "request")`, `("$defs", "hook")`."""
    pointer = "/".join(path)
    return Draft202012Validator(
        {"$schema": _whole()["$schema"], "$defs": _whole()["$defs"], "properties": {}, **_part(path), "title": pointer}
    )


def _part(path: tuple[str, ...]) -> dict[str, Any]:
    part = _whole()
    for name in path:
        part = part[name]
    return part


class CheckedHttp:
    """Passes calls on to `inner`; calls to the plugin must fit the schema, and so must what it answers."""

    def __init__(self, inner: HttpClient) -> None:
        self._inner = inner
        self.calls: list[str] = []

    def request(self, method: str, url: str, **sent: Any) -> HttpResponse:
        """As `HttpClient.request`."""
        answer = self._inner.request(method, url, **sent)
        before, is_ours, call = url.partition("/crossdesk/v1/")
        if is_ours:
            assert before, url
            self.calls.append(call)
            validator("properties", call, "properties", "request").validate(json.loads(sent["data"]))
            if not answer.body:
                return answer  # A process that died: nobody promised anything.
            if answer.status != 200:
                validator("$defs", "refusal").validate(answer.json())
            elif call != "read_file":
                validator("properties", call, "properties", "answer").validate(answer.json())
        return answer

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """As `HttpClient.download`."""
        return self._inner.download(url, max_bytes=max_bytes, headers=headers)
