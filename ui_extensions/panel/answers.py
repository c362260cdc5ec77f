"""Answers of the panel's routes: JSON in the language of whoever asks, never kept by caches.

Whatever goes wrong is one of the contract's answers; what it was stands in the log.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from flask import Response

from plugin.domain.errors import SignatureInvalid, StoreUnavailable
from ui_extensions.panel import wording

_log = structlog.get_logger("crossdesk.panel")


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, code: str, text: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(code)
        self.status, self.retry_after = status, retry_after
        self.body = {"error": {"code": code, "text": text, **more}}


def guarded(view: Callable[..., Response]) -> Callable[..., Response]:
    """Whatever goes wrong becomes one of the contract's answers; what it was stands in the log."""

    @wraps(view)
    def answered(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except Refused as refused:
            answer = as_json(refused.status, refused.body)
            if refused.retry_after is not None:
                answer.headers["Retry-After"] = str(max(1, round(refused.retry_after)))
            return answer
        except SignatureInvalid as problem:
            _log.warning("panel_refused", reason=str(problem))
            return error(401, "unauthorized", str(problem))
        except StoreUnavailable:
            answer = error(503, "store_unavailable", "Crossdesk cannot reach its database now. Nothing was changed; try again soon.")
            answer.headers["Retry-After"] = "5"
            return answer
        except Exception:  # noqa: BLE001 - nothing of it may reach a browser
            mark = secrets.token_hex(4)
            _log.exception("panel_fault", mark=mark)
            return error(500, "fault", f"Crossdesk met a fault of its own ({mark}). An admin finds it in the log.")

    return answered


def error(status: int, code: str, text: str) -> Response:
    """A refusal."""
    return as_json(status, {"error": {"code": code, "text": text}})


def as_json(status: int, content: dict[str, Any]) -> Response:
    """An answer, in the language of whoever asks."""
    told = wording.put(content, wording.asked())
    answer = Response(json.dumps(told, ensure_ascii=False), status=status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return plain(answer)


def plain(answer: Response) -> Response:
    """The same with what every answer carries."""
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
