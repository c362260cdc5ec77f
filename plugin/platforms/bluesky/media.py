"""Where other accounts live: their servers, their records and their files, found through their DID.

These addresses come from outside, so they are fetched by `download`; only the admin's own server is called directly.
Sources: AT Protocol specification, "DID"; lexicons `com.atproto.sync.getBlob`, `com.atproto.repo.getRecord`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlencode

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.errors import RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.model import Attachment, File
from plugin.platforms.bluesky.keys import POST, PostUri
from plugin.platforms.bluesky.schema import Settings

_DOCUMENT_BYTES = 200_000
_RECORD_BYTES = 1_000_000


class Directory:
    """Finds accounts' servers and asks them."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http

    def file(self, attachment: Attachment, *, max_bytes: int) -> File:
        """An attachment's original bytes, from its author's server.

        Raises:
            TargetGone: it was deleted.
            RemoteRejected: it is too big.
            RemoteUnavailable: not reachable now.
        """
        did, _, cid = attachment.media_ref.rpartition("/")
        if attachment.size is not None and attachment.size > max_bytes:
            raise RemoteRejected(
                f"The file {attachment.filename} is bigger than {max_bytes} bytes and was not fetched; see the original post."
            )
        answer = self._ask(did, "com.atproto.sync.getBlob", {"did": did, "cid": cid}, max_bytes=max_bytes)
        if answer.status in (400, 404):
            raise TargetGone(f"The file {attachment.filename} is not on Bluesky any more.")
        if not answer.is_ok:
            raise RemoteUnavailable(
                "The author's server does not hand out the file now; it is tried again.", retry_after=answer.retry_after
            )
        return File(
            filename=attachment.filename,
            content_type=attachment.content_type,
            content=answer.body,
            description=attachment.description,
        )

    def record(self, uri: PostUri) -> dict[str, Any] | None:
        """A post's record with its address and hash, or None when its author's server says that it does not exist.

        Raises:
            RemoteUnavailable: the server cannot be asked now.
        """
        params = {"repo": uri.did, "collection": POST, "rkey": uri.rkey}
        answer = self._ask(uri.did, "com.atproto.repo.getRecord", params, max_bytes=_RECORD_BYTES)
        if answer.status in (400, 404):
            return None
        if not answer.is_ok:
            raise RemoteUnavailable(
                "The author's server cannot be asked for the post now; it is tried again.", retry_after=answer.retry_after
            )
        return _object(answer)

    def _ask(self, did: str, method: str, params: dict[str, str], *, max_bytes: int) -> HttpResponse:
        server = self._server_of(did)
        url = f"{server}/xrpc/{method}?{urlencode(params)}"
        if server == self._settings.service:
            return self._http.request("GET", url, max_bytes=max_bytes)
        return self._http.download(url, max_bytes=max_bytes)

    def _server_of(self, did: str) -> str:
        """The address of the server on which an account lives, without a trailing slash."""
        if did.startswith("did:web:"):
            answer = self._http.download(f"https://{unquote(did.removeprefix('did:web:'))}/.well-known/did.json", max_bytes=_DOCUMENT_BYTES)
        else:
            answer = self._http.request("GET", f"{self._settings.directory}/{quote(did, safe=':')}", max_bytes=_DOCUMENT_BYTES)
        if answer.status in (404, 410):
            raise TargetGone("The account does not exist on Bluesky any more.")
        if not answer.is_ok:
            raise RemoteUnavailable("The directory of accounts cannot be asked now; it is tried again.", retry_after=answer.retry_after)
        services = _object(answer).get("service")
        for service in services if isinstance(services, list) else ():
            if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
                return str(service.get("serviceEndpoint", "")).rstrip("/")
        raise TargetGone("The account has no server on the AT Protocol any more.")


def _object(answer: HttpResponse) -> dict[str, Any]:
    data = answer.json_object
    if data is None:
        raise RemoteUnavailable("A server answered with something that is not its protocol; it is tried again.")
    return data
