"""slack-sdk with its defects worked around: it knows the names and parameters of Slack's methods, and nothing else of its client is used.

Worked around here: it connects by urllib with a time-out of its own, no cap on an answer, and the proxy of the environment, whose address it
logs, password included; it repeats a call whose connection broke, posts included; an error of it is the answer's JSON alone; it asks for lists by
POST and spells yes as 1. So each call goes through `door`, which signs, sends and judges it (`client.py`).
Not used at all: its paging, which goes on by itself and past any door (so answers are made without the client that it needs) and dies of a null
where the cursor's place is; its uploads, several calls in one, with bytes to an address unchecked; `files_completeUploadExternal`, which puts
JSON inside a form where Slack takes it plain; its check of signatures, which dies of a time that is no number, of a signature beyond ASCII and of
a body that is not UTF-8, and does not tell stale from forged. `chat_postMessage` and `chat_update` warn of words that are blank: send none.

Importing it costs a fifteenth of a second and 3 MB, so this module is imported when the first call is made (`client.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk.web import SlackResponse, WebClient

Door = Callable[..., tuple[dict[str, Any], dict[str, str]]]
"""Makes the call `(verb, method, params= or data= or json=)`, shapes as for `HttpClient.request`: Slack's JSON and the headers beside it, or one of
our errors. `method` is Slack's, such as `chat.delete`."""


class Sdk(WebClient):
    """`WebClient` whose calls all go through `door`, which has the token."""

    def __init__(self, door: Door) -> None:
        super().__init__(proxy="the door's", retry_handlers=[])
        self._door = door

    def api_call(
        self,
        api_method: str,
        *,
        http_verb: str = "POST",
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> SlackResponse:
        """Make a call; the library's methods come here with their parameters."""
        del others  # files, headers and sign-ins of methods that are not used
        given = {name: _spelt(value) for name, value in {**(params or {}), **(data or {})}.items() if value is not None}
        how = {"params" if http_verb == "GET" else "data": given or None} if json is None else {"json": json}
        body, headers = self._door(http_verb, api_method, **how)
        return SlackResponse(client=None, http_verb=http_verb, api_url=api_method, req_args={}, data=body, headers=headers, status_code=200)


def _spelt(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
