"""Mastodon.py as the book of the API: it spells every call, and makes none. What it knows of addresses and parameters is used, and nothing else.

Not used (looked at in 2.3.3): its one method that sends has one kind of error for a server that was never reached and for one that had been told all,
sleeps and sends again where a limit is reached, takes no notice of `Retry-After`, drops the status of a good answer (206: still at work), and makes
entities in which a missing field and an unreadable one are None alike. So that method is replaced by one that returns the call, and the client makes it
(`client.py`): no code of the library stands around it. It gets no token either, as it would read the file of that name if there is one. Nor are its
sign-in (it knows no PKCE) and its streams (they connect by themselves).

Worked around: it asks what version a server has and whether a timeline is open, and takes every failure for an answer (both are answered here); ends the
instance's addresses in a slash, from which a server may redirect; puts ids into addresses as they are (the client quotes them); and sends forms, with
1 for true (here it is JSON, and callers give the word).

Importing it costs 0.1 s and 4 MB in a worker, so this module is imported when the first call is made (`client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mastodon import Mastodon as Library

from plugin.contracts.http import FormFile


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is to go out; `how` as for `HttpClient.request`."""

    method: str
    path: str
    headers: Mapping[str, str]
    how: Mapping[str, Any]


class Sdk(Library):
    """`Mastodon` whose methods return a `Call`. Safe to share between threads."""

    def __init__(self) -> None:
        no_session: Any = object()
        super().__init__(api_base_url="https://client.has.it", session=no_session, mastodon_version="99.0.0", version_check_mode="created")

    def timeline_is_available(self, *_: Any, **__: Any) -> bool:
        """The server says so itself, when it is asked for the timeline."""
        return True

    def _Mastodon__api_request(  # noqa: N802 - what the library's own is called, seen from here
        self,
        method: str,
        endpoint: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Call:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        how: dict[str, Any]
        if files:
            parts = [(name, FormFile(filename=file, content=content, content_type=kind)) for name, (file, content, kind) in files.items()]
            how = {"data": given, "files": parts}
        elif method == "GET":
            lists = ((name, value if isinstance(value, list) else [value]) for name, value in given.items())
            how = {"params": [(name, str(one)) for name, ones in lists for one in ones]}
        else:
            how = {"json": {name.removesuffix("[]"): value for name, value in given.items()} or None}
        return Call(method, endpoint.removesuffix("/"), {name.lower(): value for name, value in (headers or {}).items()}, how)
