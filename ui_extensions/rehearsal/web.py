"""What the rehearsal's pages share: their strict headers, live redrawing, and small words for templates. Knows no network and no desk."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, Response, make_response, request
from markupsafe import Markup, escape
from werkzeug.exceptions import Forbidden

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_LINK = re.compile(r"https?://[^\s<>\"'\u202a-\u202e\u2066-\u2069]+")
_HUES = 8
_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def furnish(app: Flask) -> None:
    """Give an application the shared style sheet and script, strict headers, and the template filters."""
    app.register_blueprint(Blueprint("shared", __name__, static_folder="static", static_url_path="/shared"))
    app.after_request(_strict)
    app.teardown_request(lambda _problem: request.close())  # uploads that were spooled to disk
    app.jinja_env.filters.update(linked=linked, clock=clock, hue=hue, filesize=filesize, is_picture=is_picture)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def guard_forms() -> None:
    """Take changes from our own pages only.

    Raises:
        Forbidden: a browser says that another site sent it.
    """
    if request.method not in {"GET", "HEAD"} and request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden("This form was sent by a page from elsewhere.")


def live(version: object, draw: Any) -> Response:
    """The page that `draw` makes, or 304 where the browser has this version already. The page's own address is part of it."""
    tag = hashlib.sha256(f"{version} {request.full_path}".encode()).hexdigest()[:24]
    if tag in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{tag}"'})
    answer = make_response(draw(tag))
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def file_answer(content: bytes, *, content_type: str, filename: str, inline: bool = False) -> Response:
    """A file's bytes, which no browser runs as a page."""
    answer = Response(content, content_type=content_type)
    answer.headers.set("Content-Disposition", "inline" if inline else "attachment", filename=filename)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def linked(text: str) -> Markup:
    """Text as HTML: escaped, and its addresses made into links that carry nothing along."""
    pieces, at = [], 0
    for found in _LINK.finditer(text):
        address = found.group().rstrip(".,;:!?)")
        pieces += [escape(text[at : found.start()]), _link(address)]
        at = found.start() + len(address)
    return Markup("").join([*pieces, escape(text[at:])])


def clock(moment: datetime | None) -> str:
    """A time as people read it here: `14:03` today, else `21 Nov, 14:03`."""
    if moment is None:
        return ""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now(UTC).astimezone().date() else f"{local.day} {local:%b, %H:%M}"


def hue(key: str) -> str:
    """A class name that gives the same colour to the same person."""
    return f"hue-{hashlib.sha256(key.encode()).digest()[2] % _HUES}"


def filesize(size: int) -> str:
    """`12 KB`, `3.4 MB`."""
    return f"{size} bytes" if size < 1024 else f"{size / 1024:.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def is_picture(content_type: str) -> bool:
    """Whether a browser may draw it in the page."""
    return content_type in _INLINE


def _link(address: str) -> Markup:
    return Markup('<a href="{0}" rel="noopener noreferrer nofollow ugc" target="_blank">{0}</a>').format(address)


def _strict(answer: Response) -> Response:
    answer.headers.setdefault("Content-Security-Policy", _POLICY)
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    answer.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    return answer
