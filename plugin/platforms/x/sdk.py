"""python-twitter-v2 with its defects worked around: it knows X's addresses and parameters, and nothing else of it is used.

Worked around here: it has no time-out, keeps neither status nor headers of an error, takes a proxy's page for an "unknown error", sleeps ten
seconds before calls whose limit it does not know, and builds models that lose attachments and upload ids. So each call goes through `door`,
which signs, sends and judges it (`client.py`), and what comes back is X's own JSON: callers pass `return_json=True` where it is asked for.
Not used at all: its append of uploads (it loses the segment's number), its sign-in (it cannot renew), its streams.

Importing it costs half a second and 30 MB, so this module is imported when the first call is made (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pytwitter import Api

from plugin.contracts.http import FormFile


class Door(Protocol):
    """Makes a call: X's JSON, or one of our errors."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None,
        json: Any,
        data: Mapping[str, str] | None,
        files: list[tuple[str, FormFile]] | None,
    ) -> dict[str, Any]:
        """Shapes as for `HttpClient.request`."""
        ...


class Sdk(Api):  # type: ignore[misc]  # the package carries no types
    """`Api` whose calls all go through `door`. `spelling` is "tweet" or "post": what the parameter for fields is called."""

    def __init__(self, base_url: str, door: Door, *, spelling: str) -> None:
        super().__init__(bearer_token="the door has it")  # noqa: S106 - it insists on one
        self.BASE_URL_V2 = f"{base_url}/2"
        self._door = door
        self._spelling = spelling

    def _request(
        self,
        url: str,
        verb: str = "GET",
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None,
        json: Any = None,
        files: Mapping[str, bytes] | None = None,
        enforce_auth: bool = True,  # noqa: FBT001, FBT002
    ) -> dict[str, Any]:
        del enforce_auth
        given = {self._named(name): value for name, value in (params or {}).items() if value is not None}
        parts = [(name, FormFile(filename=name, content=content)) for name, content in (files or {}).items()]
        return self._door(verb, url, params=given or None, json=json, data=data, files=parts or None)

    def _named(self, name: str) -> str:
        return "post.fields" if name == "tweet.fields" and self._spelling == "post" else name

    @staticmethod
    def _parse_response(resp: dict[str, Any]) -> dict[str, Any]:
        return resp
