"""What the stand-in's faults do to a call, before and after it was applied."""

from __future__ import annotations

import socket
import time

from flask import request

from plugin.testing.standins.telegram.faults import Fault, Kind
from plugin.testing.standins.x.refusals import Refused


def before(fault: Fault | None) -> None:
    """Strike before anything was done.

    Raises:
        Refused: nothing is done.
    """
    match fault.kind if fault is not None else None:
        case Kind.RATE_LIMIT:
            raise Refused(429, "Too Many Requests", "Too Many Requests", headers={"x-rate-limit-reset": str(int(_value(fault)))})
        case Kind.ERROR_BEFORE:
            raise Refused(int(_value(fault)), "Error", "Sent by a fault of the stand-in.")
        case Kind.DROP_BEFORE:
            _cut()
        case Kind.STALL_BEFORE:
            time.sleep(_value(fault))
        case _:
            return


def after(fault: Fault | None) -> None:
    """Strike after it was done.

    Raises:
        Refused: it is done, and the answer says otherwise.
    """
    match fault.kind if fault is not None else None:
        case Kind.ERROR_AFTER:
            raise Refused(int(_value(fault)), "Error", "Sent by a fault of the stand-in.")
        case Kind.DROP_AFTER:
            _cut()
        case Kind.STALL_AFTER:
            time.sleep(_value(fault))
        case _:
            return


def _value(fault: Fault | None) -> float:
    return fault.value if fault is not None else 0.0


def _cut() -> None:
    """End the caller's connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise Refused(500, "Error", "Nobody hears this.")
