"""The first response as Zammad counts it, put right after a reply was held or let go: it counts what is public, not what was received.

Only the first-response clock can be put right by the API (seen on 6.2; `crossdesk helpdesk verify` tries it on the server at hand). State
`new` does not come back, and the clock for later replies starts again with the customer's next words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.reading import moment

_TAKEN_BACK = {"first_response_at": None, "first_response_in_min": None, "first_response_diff_in_min": None}
_AT_ONCE = timedelta(seconds=5)
"""Zammad notes the response in the same call as the article, a moment earlier or later."""


def put_right(client: ZammadClient, article: Mapping[str, Any], *, is_internal: bool, sent_at: datetime) -> None:
    """After the visibility of a reply was changed: a held one is no first response, a released one is one since it was sent.

    Raises:
        RemoteError: any of its kinds; safe to repeat.
    """
    ticket = client.read_row(f"/tickets/{article['ticket_id']}")
    written, counted = moment(article.get("created_at")), moment(ticket.get("first_response_at"))
    if is_internal and written is not None and counted is not None and abs(counted - written) <= _AT_ONCE:
        client.write("PUT", f"/tickets/{ticket['id']}", _TAKEN_BACK)
    elif not is_internal and counted is None:
        # Not before it was written, however the two machines' clocks differ.
        at = max(sent_at, written or sent_at).astimezone(UTC)
        client.write("PUT", f"/tickets/{ticket['id']}", {"first_response_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"})
