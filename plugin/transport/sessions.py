"""Sessions of `requests` for SDKs that want one. Their calls end in our client: same deadlines, caps, redaction and errors.

Errors are ours (`plugin.domain.errors`), not those of `requests`, so that they pass through an SDK with their meaning.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from plugin.contracts.http import HttpClient


class Session(requests.Session):
    """Follows no redirect, keeps no cookie, reads nothing from the environment."""

    def __init__(self, client: HttpClient) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Door(client))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: redirects are the caller's to judge."""


class _Door(BaseAdapter):
    def __init__(self, client: HttpClient) -> None:
        super().__init__()
        self._client = client

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is that of requests
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Make the call; `stream`, `verify`, `cert` and `proxies` have no say here."""
        del stream, verify, cert, proxies
        answer = self._client.request(
            request.method or "GET",
            request.url or "",
            headers={name: str(value) for name, value in request.headers.items() if name.lower() != "content-length"},
            data=_body(request.body),
            timeout=timeout if isinstance(timeout, (int, float)) else None,
        )
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers.pop("content-encoding", None)
        response.raw = io.BytesIO(answer.body)
        response.url = answer.url
        response.request = request
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        return response

    def close(self) -> None:
        """Nothing: the transport owns the connections."""


def _body(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else b"".join(body)
