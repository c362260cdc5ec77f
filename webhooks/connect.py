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
<body><main><h1>{title}</h1><p>{text}</p>{back}</main></body></html>
"""


def add_connect(app: Flask, connector: Connector, *, console: str = "") -> None:
    """Answer the address to which platforms send people back. `console`: the address of the admin pages, where there are any."""

    def callback() -> Response:
        outcome = connector.finish(request.args.get("state", ""), request.args.get("code", ""), request.args.get("error", ""))
        return _page(outcome, console)

    app.add_url_rule(CALLBACK, "oauth_callback", callback, methods=["GET"])


def _page(outcome: Outcome, console: str) -> Response:
    back = ""
    if console and outcome.draft:
        back = f'<p><a href="{escape(console)}/connect/{escape(outcome.draft)}/test">Go on in the console</a></p>'
    body = _PAGE.format(title=escape(outcome.title), text=escape(outcome.text), back=back)
    return Response(body, status=200 if outcome.is_ok else 400, headers=_HEADERS, content_type="text/html; charset=utf-8")
