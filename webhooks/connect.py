"""`/oauth/callback`: where a person comes back from the platform. Words a small page; what it means stands in `plugin.handlers.connects`.

The page loads nothing, sends nobody anywhere, and is kept by no cache: the address that led here holds a code.
"""

from __future__ import annotations

from flask import Flask, Response, request
from markupsafe import escape

from plugin.handlers.connects import CALLBACK, Connector, Outcome

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title} - Crossdesk</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}}h1{{font-size:1.4rem}}</style></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""


def add_connect(app: Flask, connector: Connector) -> None:
    """Answer the address to which platforms send people back."""

    def callback() -> Response:
        outcome = connector.finish(request.args.get("state", ""), request.args.get("code", ""), request.args.get("error", ""))
        return _page(outcome)

    app.add_url_rule(CALLBACK, "oauth_callback", callback, methods=["GET"])


def _page(outcome: Outcome) -> Response:
    body = _PAGE.format(title=escape(outcome.title), text=escape(outcome.text))
    return Response(body, status=200 if outcome.is_ok else 400, headers=_HEADERS, content_type="text/html; charset=utf-8")
