"""What the private page looks like: one column that fits a phone, without scripts, pictures or anything from elsewhere. Knows nothing of whose it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response
from markupsafe import Markup, escape
from sqlalchemy import Row

from webhooks import page_files

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}textarea,button{font:inherit;width:100%;box-sizing:border-box}"
    "textarea{min-height:9rem;padding:.5rem;border:1px solid #555}button{padding:.7rem;margin-top:.6rem;border:1px solid #124;background:#124a80;"
    "color:#fff;border-radius:.3rem}button.quiet{background:#fff;color:#124a80}:focus-visible{outline:3px solid #d07000;outline-offset:2px}"
    ".word{font:1.4rem ui-monospace,monospace;background:#eef3f8;padding:.6rem;display:block;overflow-wrap:anywhere}.note{border-left:.3rem solid "
    "#124a80;padding:.4rem .8rem;background:#eef3f8}.bad{border-color:#a30000;background:#fdeeee}ol.said{list-style:none;padding:0}ol.said li{border:1px "
    "solid #ccc;border-radius:.3rem;padding:.5rem .8rem;margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere;overflow:clip}ol.said .who{font-weight:600;"
    "display:block}.small{font-size:.95rem;color:#444}input[type=file]{font:inherit;max-width:100%;padding:.4rem 0}.answers{display:flex;"
    "flex-wrap:wrap;gap:.5rem;margin:.5rem 0}.answers button{width:auto;min-width:4rem;margin:0}.files{display:block;font-size:.95rem;color:#444}"
)


def plain(told: Mapping[str, str], language: str, body: Markup, *, status: int = 200) -> Response:
    """A whole page, which nobody keeps, frames or finds."""
    nonce = secrets.token_urlsafe(16)
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex, nofollow"><title>{escape(told["title"])}</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><main><h1>{escape(told['title'])}</h1>{body}</main></body></html>"
    )
    answer = Response(html, status=status, content_type="text/html; charset=utf-8")
    answer.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        }
    )
    return answer


def form(inner: Markup, *, has_files: bool = False) -> Markup:
    """A form that sends to the page itself."""
    return Markup('<form method="post"{}>{}</form>').format(Markup(' enctype="multipart/form-data"') if has_files else "", inner)


def said(told: Mapping[str, str], rows: Iterable[Row[Any]]) -> Markup:
    """What was said so far, with the names of the files that were sent."""
    lines = [
        Markup('<li><span class="who">{} <time datetime="{}">{}</time></span>{}{}</li>').format(
            told["you" if row.who == "customer" else row.who],
            row.at.isoformat(),
            f"{row.at:%Y-%m-%d %H:%M} UTC",
            row.words or "",
            _files(told, row.files or ()),
        )
        for row in rows
    ]
    return Markup('<ol class="said">{}</ol>').format(Markup("").join(lines)) if lines else Markup("<p>{}</p>").format(told["nothing"])


def _files(told: Mapping[str, str], files: Sequence[Mapping[str, Any]]) -> Markup:
    shown = ", ".join(f"{file['filename']} ({page_files.megabytes(int(file.get('size') or 0))})" for file in files)
    return Markup('<span class="files">{}</span>').format(told["sent_files"].format(files=shown)) if shown else Markup("")


def answers(told: Mapping[str, str], choices: Sequence[str], seal: Markup) -> Markup:
    """The answers to our last question, each a press: it sends its words."""
    buttons = Markup("").join(Markup('<button name="words" value="{}">{}</button>').format(choice, choice) for choice in choices)
    group = Markup('<div class="answers" role="group" aria-label="{}">{}</div>').format(told["answers"], buttons)
    return form(seal + group)


def files_field(told: Mapping[str, str]) -> Markup:
    """Where pictures are chosen, with what may be sent."""
    hint = told["files_hint"].format(
        most=page_files.MOST, each=page_files.megabytes(page_files.FILE_BYTES), whole=page_files.megabytes(page_files.WHOLE_BYTES)
    )
    return Markup(
        '<p><label for="files">{}</label><br><input id="files" type="file" name="files" multiple accept="{}" aria-describedby="files-hint"></p>'
        '<p id="files-hint" class="small">{}</p>'
    ).format(told["files_label"], page_files.ACCEPT, hint)
