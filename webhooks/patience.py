"""gunicorn's threaded worker with patience: a request gets a thread when it has arrived, not while it drips in.

A few senders that drip their requests byte by byte would otherwise hold every thread (slow loris). What is still on its way waits in the kernel,
which wakes us when there is more (SO_RCVLOWAT, socket(7)). Knows nothing of what is served.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers import gthread

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 32_768
_LONGEST_AWAITED = 32_768
"""Bodies up to here are awaited whole; what a larger one lacks, its thread waits for."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc] # gunicorn carries no types
    """See the module."""

    def handle(self, conn: Any) -> Any:
        """Serve the connection's request, or let it wait for the rest of it."""
        is_read_ahead = conn.parser is not None and conn.parser.unreader.buf.getvalue()
        if is_read_ahead or has_arrived(conn):
            return super().handle(conn)
        return gthread._DEFER  # noqa: SLF001 - its own way to say: back to the poller


class OneLogger(Logger):  # type: ignore[misc]
    """Has gunicorn's words take the way of all others: one line of JSON each."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's, without handlers of its own."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def has_arrived(conn: Any) -> bool:
    """Whether a request's head, and its body if that is short, can be read without waiting. If not, the poller wakes us when more is there."""
    connection: socket.socket = conn.sock
    try:
        arrived = connection.recv(_LONGEST_HEAD + _LONGEST_AWAITED, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    wanted = _wanted(arrived)
    is_over = len(arrived) >= wanted or len(arrived) == getattr(conn, "seen", 0) or not arrived
    conn.seen = 0 if is_over else len(arrived)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if is_over else wanted)
    return is_over


def _wanted(arrived: bytes) -> int:
    """How many bytes are worth a thread."""
    head_end = arrived.find(_HEAD_END)
    if head_end < 0:
        return min(len(arrived) + 1, _LONGEST_HEAD)
    whole = head_end + len(_HEAD_END)
    length = _LENGTH.search(arrived, 0, whole)
    if length is None or int(length[1]) > _LONGEST_AWAITED or _EXPECT.search(arrived, 0, whole):
        return whole
    return whole + int(length[1])
