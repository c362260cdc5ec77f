"""How a bot and its webhook stand: for `channel test`, and for the look every few minutes. Knows no message.

Source: Bot API, "getMe", "getWebhookInfo".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import RemoteError
from plugin.platforms.telegram.client import BotApi
from plugin.platforms.telegram.updates import ALLOWED_UPDATES

_FRESH_SECONDS = 900.0
"""An error that is older than this while updates wait is not the present trouble: Telegram tries again every two minutes at least."""
_REGISTER = "Register the webhook again, and look whether another program uses this bot."
_REACH = "See that Telegram can reach the address from outside: https, port 443, 80, 88 or 8443."


class Standing:
    """One bot's. `wanted`: the address that Telegram shall know, empty where the bot is polled."""

    def __init__(self, api: BotApi, wanted: str, *, groups: str) -> None:
        self._api = api
        self._wanted = wanted
        self._groups = groups

    def silent(self, now: datetime) -> str:
        """Why Telegram tells us nothing, in a sentence; empty where it does.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`; `CredentialsRejected` for a token that was revoked.
        """
        seen = self._seen()
        url, mistake = str(seen.get("url", "")), str(seen.get("last_error_message", ""))
        if url != self._wanted:
            return f"Telegram delivers to {'another address' if url else 'no address'} and not to ours; it keeps what waits for 24 hours."
        waiting, failed_at = seen.get("pending_update_count"), seen.get("last_error_date")
        is_fresh = isinstance(failed_at, int) and now.timestamp() - failed_at < _FRESH_SECONDS
        if mistake and waiting and is_fresh:
            return f"Telegram cannot deliver ({mistake[:200].rstrip('.')}); it keeps what waits ({waiting}) for 24 hours. {_REACH}"
        return ""

    def probes(self) -> Iterator[Probe]:
        """Who we are, and how the intake fares."""
        try:
            bot, seen = self._api.read("getMe"), self._seen()
        except RemoteError as problem:
            yield Probe(name="token", is_ok=False, answer=str(problem), next_step="Check `token` and `api_url` of this channel.")
            return
        is_bot = isinstance(bot, Mapping)
        yield Probe(name="token", is_ok=is_bot, answer=f"@{bot.get('username')} (bot {bot.get('id')})" if is_bot else "no bot")
        yield from self._intake(seen)
        if self._groups != "ignore" and is_bot:
            hears = bot.get("can_read_all_group_messages") is True
            says = "everything that is said" if hears else "commands, mentions and answers to it alone (privacy mode, see the README)"
            yield Probe(name="in groups the bot hears", is_ok=True, answer=says)

    def _intake(self, seen: Mapping[str, Any]) -> Iterator[Probe]:
        url, waiting, mistake = str(seen.get("url", "")), seen.get("pending_update_count", 0), str(seen.get("last_error_message", ""))
        missing = set(ALLOWED_UPDATES) - set(seen.get("allowed_updates") or ()) if self._wanted else set()
        is_ours = url == self._wanted
        yield Probe(name="webhook address", is_ok=is_ours, answer=url or "none", next_step="" if is_ours else _REGISTER)
        told = f"not asked for: {', '.join(sorted(missing))}" if missing else "all kinds asked for"
        yield Probe(name="webhook updates", is_ok=not missing, answer=told, next_step=_REGISTER if missing else "")
        answer = f"{waiting} waiting" + (f"; last error: {mistake}" if mistake else "")
        yield Probe(name="webhook delivery", is_ok=not (mistake and waiting), answer=answer, next_step=_REACH if mistake else "")

    def _seen(self) -> Mapping[str, Any]:
        seen = self._api.read("getWebhookInfo")
        return seen if isinstance(seen, Mapping) else {}
