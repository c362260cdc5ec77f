"""Calls to LinkedIn's versioned API in the page's name: signed, counted against the day, and judged. Knows no comment.

Sources: LinkedIn API guide, "Versioning", "Protocol versions", "Pagination"; Rest.li 2.0 protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteUnavailable
from plugin.platforms._oauth.budget import Budget
from plugin.platforms._oauth.tokens import Provider, Token, Tokens
from plugin.platforms._oauth.values import read_count
from plugin.platforms.linkedin.answers import ZONE, failure, unreadable
from plugin.platforms.linkedin.schema import Settings
from plugin.platforms.linkedin.urns import encoded, media_urn

PAGE, PAGES = 100, 10
_SIXTY_DAYS = 5_184_000.0
_UPLOADS = (".linkedin.com", ".licdn.com")
_ROLES = "organizationAcls?q=roleAssignee&start=0&count=100"


class Client:
    """One page's LinkedIn."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        spent = (
            f"The {settings.daily_calls} calls of this day are used up (see `daily_calls`). Nothing was done, everything is kept, and it goes on "
            "after midnight UTC."
        )
        self.budget = Budget(settings.daily_calls, connection, zone=ZONE, name="calls", spent=spent)
        self.tokens = Tokens(_provider(settings), connection)
        self._http = connection.http
        self._clock = connection.clock

    def read(self, what: str, *, about_page: bool = False) -> Mapping[str, Any]:
        """Ask for something: a path below `/rest/`, escaped as Rest.li wants it. Shape: the answer's JSON object.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        try:
            answer = self._signed("GET", what)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("LinkedIn gave no answer; it is asked again.", detail=unclear.detail) from None
        return self._object(answer, about_page=about_page)

    def walk(self, what: str, *, about_page: bool = False, pages: int = PAGES) -> Iterator[Mapping[str, Any] | None]:
        """Every element of a list, page by page; None at the end where there is more than `pages` hold."""
        start = 0
        for _ in range(pages):
            body = self.read(f"{what}{'&' if '?' in what else '?'}start={start}&count={PAGE}", about_page=about_page)
            elements = body.get("elements")
            if not isinstance(elements, list):
                raise unreadable(writes=False)
            yield from read_objects(elements)
            start += len(elements)
            if not elements or not _goes_on(read_object(body.get("paging")), start, len(elements)):
                return
        yield None

    def write(self, method: str, what: str, body: Any = None, *, is_patch: bool = False, about_page: bool = False) -> HttpResponse:
        """Change something; the answer is a success.

        Raises:
            OutcomeUnknown: nobody knows whether it did.
            RemoteError: any other of its kinds.
        """
        answer = self._signed(method, what, body, is_patch=is_patch)
        if not answer.is_ok:
            raise failure(answer, writes=True, about_page=about_page, now=self._clock.now())
        return answer

    def upload(self, content: bytes, content_type: str) -> str:
        """Put a picture where LinkedIn wants it; returns its URN. A picture that no comment names is seen by nobody, so this may be repeated.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        try:
            answer = self.write(
                "POST", "images?action=initializeUpload", {"initializeUploadRequest": {"owner": self.settings.organization}}
            )
            told = read_object((answer.json_object or {}).get("value"))
            url, urn = read_string(told.get("uploadUrl")), media_urn(told.get("image"))
            if not urn or not self._is_theirs(url):
                raise unreadable(writes=False)
            put = self.tokens.signed(
                lambda token: self._http.request("PUT", url, headers={**_bearer(token), "content-type": content_type}, data=content)
            )
            if not put.is_ok:
                raise failure(put, writes=True, about_page=False, now=self._clock.now())
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(
                "LinkedIn did not take the picture; the reply was not posted, and it is tried again.", detail=unclear.detail
            ) from None
        return urn

    def role(self, token: Token) -> tuple[str, str]:
        """What a sign-in's person is for the page, and the person's URN; empty where there is no role."""
        self.budget.spend(1)
        return self._role(self._object(self._ask("GET", _ROLES, token), about_page=True))

    def own_role(self) -> tuple[str, str]:
        """The same for the sign-in that is kept."""
        return self._role(self.read(_ROLES, about_page=True))

    def _role(self, body: Mapping[str, Any]) -> tuple[str, str]:
        elements = body.get("elements")
        if not isinstance(elements, list):
            raise unreadable(writes=False)
        roles = [
            (read_string(one.get("role")), read_string(one.get("roleAssignee")))
            for one in read_objects(elements)
            if self.settings.organization in (one.get("organization"), one.get("organizationTarget")) and one.get("state") == "APPROVED"
        ]
        return next((role for role in roles if role[0] == "ADMINISTRATOR"), next(iter(roles), ("", "")))

    def _object(self, answer: HttpResponse, *, about_page: bool) -> Mapping[str, Any]:
        if not answer.is_ok:
            raise failure(answer, writes=False, about_page=about_page, now=self._clock.now())
        body = answer.json_object
        if body is None:
            raise unreadable(writes=False)
        return body

    def _signed(self, method: str, what: str, body: Any = None, *, is_patch: bool = False) -> HttpResponse:
        def make(token: Token) -> HttpResponse:
            self.budget.spend(1)
            return self._ask(method, what, token, body, is_patch=is_patch)

        return self.tokens.signed(make)

    def _ask(self, method: str, what: str, token: Token, body: Any = None, *, is_patch: bool = False) -> HttpResponse:
        headers = {
            **_bearer(token),
            "linkedin-version": self.settings.api_version,
            "x-restli-protocol-version": "2.0.0",
            **({"x-restli-method": "PARTIAL_UPDATE"} if is_patch else {}),
        }
        return self._http.request(method, f"{self.settings.api_url}/rest/{what}", headers=headers, json=body)

    def _is_theirs(self, url: str) -> bool:
        """Whether the token may travel there: LinkedIn's own servers alone."""
        try:
            parts = urlsplit(url)
            home = urlsplit(self.settings.api_url)
            host = parts.hostname or ""
            is_home = (parts.scheme, parts.netloc) == (home.scheme, home.netloc)
            return is_home or (parts.scheme == "https" and host.endswith(_UPLOADS) and not parts.username)
        except ValueError:
            return False


def _goes_on(paging: Mapping[str, Any], start: int, brought: int) -> bool:
    """Whether a list has more: some lists tell their length, some name the next page, and of some only a full page tells."""
    if any(read_string(one.get("rel")) == "next" for one in read_objects(paging.get("links"))):
        return True
    total, size = read_count(paging.get("total")), read_count(paging.get("count"))
    return start < total if total is not None else brought >= (size or PAGE)


def entity(urn: object, *rest: str) -> str:
    """The path of what people do with a post or comment."""
    return "/".join(["socialActions", encoded(urn), *rest])


def results(body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What a call for several things brought, by the key that each was asked by.

    Raises:
        RemoteUnavailable: it brought no such thing.
    """
    found = body.get("results")
    if not isinstance(found, dict):
        raise unreadable(writes=False)
    return {key: value for key, value in found.items() if isinstance(value, dict)}


def batches(wanted: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`wanted` in parts of at most `size`."""
    return (wanted[at : at + size] for at in range(0, len(wanted), size))


def _provider(settings: Settings) -> Provider:
    return Provider(
        name="LinkedIn",
        authorize_url=f"{settings.site_url}/oauth/v2/authorization",
        token_url=f"{settings.site_url}/oauth/v2/accessToken",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scopes=settings.scopes,
        has_pkce=False,
        lifetime=_SIXTY_DAYS,
    )


def _bearer(token: Token) -> dict[str, str]:
    return {"authorization": f"Bearer {token.access}"}
