"""An answer without end, line by line: within its caps, and never more of it in memory than one line. Knows nothing of what lines mean."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping

from plugin.contracts.http import HttpResponse, Patience
from plugin.transport.addresses import Target
from plugin.transport.bodies import Garbled, TooBig, read_body
from plugin.transport.calls import AFTER_SENDING, Call, headers_received
from plugin.transport.wire import ToldToStop, WireConnection

_PIECE = 1 << 14
_OTHER_ANSWER_BYTES = 1 << 16
_STREAM = "text/event-stream"


def follow(
    call: Call,
    connection: WireConnection,
    target: Target,
    headers: Mapping[str, str],
    on_line: Callable[[str], None],
    patience: Patience,
) -> HttpResponse:
    """As `FollowsStreams.follow`, on a connection that is hung up afterwards. The head has to come within the call's own time."""
    status, received, body, ends = 0, {}, b"", None
    try:
        call.collect(connection, target, headers, None)
        connection.wire.patience = patience
        connection.write()
        answer = connection.read_head()
        status, received = answer.status, headers_received(answer)
        if status == 200 and received.get("content-type", "").partition(";")[0].strip().lower() == _STREAM:
            ends = connection.wire.until = time.monotonic() + patience.seconds
            for line in _lines(answer, patience.line_bytes):
                on_line(line)
                if patience.is_over() or time.monotonic() >= ends:
                    break
        else:
            body = read_body(answer, _OTHER_ANSWER_BYTES)
    except ToldToStop:
        pass
    except TooBig:
        raise call.too_big(status) from None
    except AFTER_SENDING as problem:
        if ends is None or time.monotonic() < ends:
            raise call.unclear(problem) from None
    finally:
        connection.wire.hang_up()
    return HttpResponse(status=status, headers=received, body=body, url=call.url)


def _lines(answer: http.client.HTTPResponse, most: int) -> Iterator[str]:
    """Whole lines only: one that was cut off by the end of the stream was never said (HTML Standard, "Server-sent events")."""
    if answer.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        raise Garbled("the stream is packed, which was not asked for")
    rest = b""
    while piece := answer.read1(_PIECE):
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > most or any(len(line) > most for line in whole):
            raise TooBig
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
