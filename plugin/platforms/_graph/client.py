"""Calls to the Graph API for one account: the token in a header, the proof of the app beside it, pages followed. Knows no post and no message.

`appsecret_proof` is the HMAC of the token under the app secret; an app that requires it refuses calls without (Graph API, "Securing Requests").
While the secret is being reset the old one is tried when the new one is refused: such a refusal comes before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from plugin.contracts.http import FormFile, HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.contracts.signing import sign
from plugin.domain.errors import CredentialsRejected, CrossdeskError, OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable
from plugin.platforms._graph.errors import failure, read_fault
from plugin.platforms._graph.settings import GraphSettings
from plugin.platforms._graph.values import read_id

TOKEN = "access_token"  # noqa: S105 - a name
_UPLOAD_SECONDS = 120.0
_ANSWER_BYTES = 8 << 20
Params = Mapping[str, str | int]


class Graph:
    """One account's Graph API. Paths are given without version: `/me`."""

    def __init__(self, settings: GraphSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._base = f"{settings.graph_url.rstrip('/')}/{settings.version}"

    def read(self, path: str, params: Params | None = None, *, token: str = "") -> Mapping[str, Any]:
        """The object at `path`, asked for with the account's token or with `token`.

        Raises:
            TargetGone: it does not exist, or not for us.
            RemoteError: any other of its kinds but `OutcomeUnknown`.
        """
        answer = self._send("GET", path, params=params or {}, token=token or self.token())
        return self._object(answer, writes=False)

    def pages(self, path: str, params: Params, *, most: int) -> Iterator[list[Mapping[str, Any]]]:
        """The lists at `path`, page by page, at most `most` of them. The address of the next page is never followed, only its cursor."""
        cursor = ""
        for _ in range(most):
            data = self.read(path, {**params, **({"after": cursor} if cursor else {})})
            if not isinstance(data.get("data"), list):
                raise RemoteUnavailable("Meta's answer holds no list; nothing was changed, it is asked again.")
            yield read_objects(data["data"])
            paging = read_object(data.get("paging"))
            following = read_string(read_object(paging.get("cursors")).get("after")) if "next" in paging else ""
            if not following or following == cursor:
                return
            cursor = following

    def write(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        method: str = "POST",
        params: Params | None = None,
        form: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, FormFile]] = (),
        token: str = "",
    ) -> Mapping[str, Any]:
        """Say, change or take back something: `body` as JSON, or `form` and `files`.

        Raises:
            OutcomeUnknown: it may have been applied.
            RemoteError: any other of its kinds.
        """
        how: dict[str, Any] = (
            {"data": dict(form or {}), "files": files, "timeout": _UPLOAD_SECONDS} if files else {"json": dict(body or {})}
        )
        if method == "DELETE":
            how = {}
        answer = self._send(method, path, params=params or {}, token=token or self.token(), **how)
        return self._object(answer, writes=True)

    def settle(self, path: str, body: Mapping[str, Any] | None = None, **how: Any) -> Mapping[str, Any]:
        """As `write`, for what may be repeated at will: an unclear outcome is one more try."""
        try:
            return self.write(path, body, **how)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(
                "Meta gave no usable answer; doing it again is harmless, and it is tried again.", detail=unclear.detail
            ) from None

    def exchange(self, path: str, form: Mapping[str, str], *, base: str = "") -> Mapping[str, Any]:
        """A call that trades one credential for another, without any token of ours."""
        try:
            answer = self._connection.http.request("POST", (base or self._base) + path, data=dict(form), max_bytes=_ANSWER_BYTES)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("Meta did not answer; nothing was connected. Begin again.", detail=unclear.detail) from None
        return self._object(answer, writes=False)

    def download(self, url: str, *, max_bytes: int, signed: bool = False) -> HttpResponse:
        """The bytes at an address that Meta gave out, with our token where `signed`.

        Raises:
            RemoteUnavailable: not to be had now.
            RemoteRejected: not given out (any more), or too big.
        """
        headers = {"authorization": f"Bearer {self.token()}"} if signed else None
        answer = self._connection.http.download(url, max_bytes=max_bytes, headers=headers)
        if answer.is_ok:
            return answer
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(
                f"Meta's file server answered {answer.status}; the message is kept, the file is fetched later.",
                retry_after=answer.retry_after,
            )
        raise RemoteRejected(
            f"Meta's file server does not give the file out ({answer.status}); the message is kept without it. Open it on the platform."
        )

    def scopes(self) -> frozenset[str]:
        """The permissions that the token has (Graph API, "debug_token").

        Raises:
            CredentialsRejected: it is not valid.
        """
        data = read_object(self.read("/debug_token", {"input_token": self.token()}, token=self.app_token).get("data"))
        if data.get("is_valid") is not True:
            raise CredentialsRejected(
                "Meta says that the access token is not valid (any more). Everything is kept; connect the account again or enter a new token, "
                "then resume the channel.",
                detail=read_string(read_object(data.get("error")).get("message")),
            )
        given = data.get("scopes")
        return frozenset(one for one in given if isinstance(one, str)) if isinstance(given, list) else frozenset()

    def token(self) -> str:
        """The access token: the configured one, else the one that was stored when the account was connected.

        Raises:
            CredentialsRejected: there is none yet.
        """
        token = self._settings.access_token or self._connection.secrets.get(TOKEN)
        if not token:
            raise CredentialsRejected(
                "This account is not connected yet: there is no access token. Everything is kept; connect it, or set `access_token`, then "
                "resume the channel."
            )
        return token

    @property
    def app_token(self) -> str:
        """The app's own token, for what concerns the app and not the account."""
        return f"{self._settings.app_id}|{self._settings.app_secret}"

    def _send(self, method: str, path: str, *, params: Params, token: str, **how: Any) -> HttpResponse:
        answer: HttpResponse | None = None
        for secret in filter(None, (self._settings.app_secret, self._settings.previous_app_secret)):
            proof = {"appsecret_proof": sign(secret, token.encode())}
            try:
                answer = self._connection.http.request(
                    method,
                    self._base + path,
                    headers={"authorization": f"Bearer {token}"},
                    params={**params, **proof},
                    max_bytes=_ANSWER_BYTES,
                    **how,
                )
            except CrossdeskError as problem:
                if method == "GET" and isinstance(problem, OutcomeUnknown):
                    raise RemoteUnavailable("Meta did not answer; it is asked again.", detail=problem.detail) from None
                raise
            if answer.is_ok or not _is_about_proof(answer):
                return answer
        assert answer is not None, "there is always an app secret"
        raise CredentialsRejected(
            "Meta does not accept the app secret (any more). The channel pauses and everything is kept; put the present one from App settings "
            "→ Basic into `app_secret` and resume the channel."
        )

    def _object(self, answer: HttpResponse, *, writes: bool) -> Mapping[str, Any]:
        data = answer.json_object
        if answer.is_ok and data is not None and "error" not in data:
            return data
        raise _cleaned(failure(answer, writes=writes), self._secrets())

    def _secrets(self) -> tuple[str, ...]:
        stored = self._connection.secrets.get(TOKEN) or ""
        settings = self._settings
        return tuple(filter(None, (settings.access_token, settings.app_secret, settings.previous_app_secret, stored)))


def segment(value: str) -> str:
    """An id as one segment of a path."""
    return quote(value, safe="")


def new_id(data: Mapping[str, Any], *names: str) -> str:
    """The id of what a write made.

    Raises:
        OutcomeUnknown: the answer names none.
    """
    found = next((one for name in names if (one := read_id(data.get(name)))), "")
    if not found:
        raise OutcomeUnknown(
            "Meta accepted the message but named no id; it is not repeated by itself. Look at the conversation on the platform."
        )
    return found


def require_success(data: Mapping[str, Any]) -> None:
    """That a change was made.

    Raises:
        OutcomeUnknown: the answer does not say so.
    """
    if data.get("success") not in (True, "true"):
        raise OutcomeUnknown("Meta answered without saying that it was done; look at it on the platform and do it again if need be.")


def _is_about_proof(answer: HttpResponse) -> bool:
    fault = read_fault(answer.json_object or {})
    return fault is not None and fault.code == 100 and "appsecret_proof" in fault.words


def _cleaned(problem: RemoteError, secrets: tuple[str, ...]) -> RemoteError:
    """Graph repeats a malformed token in its words."""
    message, detail = str(problem), problem.detail
    for secret in secrets:
        message, detail = message.replace(secret, "[hidden]"), detail.replace(secret, "[hidden]")
    return type(problem)(message, retry_after=problem.retry_after, detail=detail)
