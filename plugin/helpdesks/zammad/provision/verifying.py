"""The live probe: a ticket of our own is made, answered, held, refused to be closed, and taken away again.

The bridge's own token does what the bridge does, the setup token plays the agent. Nothing but a look into Zammad's own log of webhooks tells
whether they arrive, so that is read.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from plugin.contracts.platform import Probe
from plugin.domain.errors import CrossdeskError, RemoteRejected
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.provision.server import Server

WEBHOOK_SECONDS = 90.0
_PATIENCE = 30.0
"""Seconds for a bridge that is just starting: Zammad tries again after ten and after twenty."""
_ARTICLES = re.compile(r'"article_ids"\s*:\s*\[([0-9, ]*)\]')
_CLOCK = {"first_response_at": None, "first_response_in_min": None, "first_response_diff_in_min": None}
Client = Callable[[], ZammadClient]


class Verifier:
    """One run. `bridge` gives a client with the bridge's own token, `server` has the setup token's."""

    def __init__(self, server: Server, bridge: Client, *, group: str, webhook: str, closed_state: str, webhook_seconds: float) -> None:
        self._server = server
        self._bridge = bridge
        self._group = group
        self._webhook = webhook
        self._closed_state = closed_state
        self._webhook_seconds = webhook_seconds
        self.probes: list[Probe] = []

    def run(self) -> list[Probe]:
        """Every probe. The ticket is taken away whatever happens."""
        ticket = self._try(
            "test ticket", self._open, "Run `crossdesk helpdesk plan`, and give the bridge's account full rights in the group."
        )
        if ticket is None:
            return self.probes
        try:
            self._inspect(ticket)
        finally:
            self._try("cleaned up", lambda: self._clean(ticket), f"Delete the ticket {ticket.get('number')} by hand.")
        return self.probes

    def _inspect(self, ticket: Mapping[str, Any]) -> None:
        key = int(ticket["id"])
        reply = self._try(
            "agent replies", lambda: self._reply(key), "Give the account of the setup token the role Agent and rights in the group."
        )
        if reply is not None:
            self._try("webhook", lambda: self._seen(int(reply["id"])), "Is the bridge running, and reachable from Zammad at this address?")
            self._try("held reply", lambda: self._hold(key, int(reply["id"])), "Give the bridge's account full rights in the group.")
        self._try("stage is fixed", lambda: self._refused(key, {"cd_state": "resolved"}), "Apply again; the workflows must be active.")
        self._try("stage cannot be emptied", lambda: self._refused(key, {"cd_state": ""}), "Apply again; the workflows must be active.")
        self._try(
            "closing is refused", lambda: self._refused(key, {"state": self._closed_state}), "Apply again; the workflows must be active."
        )
        self._try("the bridge may close", lambda: self._close(key), "Give the bridge's account the role Crossdesk.")

    def _try(self, name: str, step: Callable[[], Any], next_step: str) -> Any:
        try:
            found = step()
        except _Wrong as wrong:
            self.probes.append(Probe(name=name, is_ok=False, answer=str(wrong), next_step=next_step))
        except CrossdeskError as problem:
            answer = f"{problem} {problem.detail}".strip()
            self.probes.append(Probe(name=name, is_ok=False, answer=answer, next_step=next_step))
        else:
            says = found["says"] if isinstance(found, Mapping) and "says" in found else str(found)
            self.probes.append(Probe(name=name, is_ok=True, answer=says))
            return found
        return None

    def _open(self) -> Mapping[str, Any]:
        """The bridge's account is its own customer, so that no test customer is left behind."""
        me = self._bridge().read_row("/users/me")
        if self._server.me().get("id") == me["id"]:
            raise _Wrong("the setup token belongs to the bridge's own account, which nothing stops; take an administrator's")
        data = {
            "title": "Crossdesk setup test (is deleted at once)",
            "group": self._group,
            "customer_id": me["id"],
            "cd_state": "handoff",
            "cd_channel": "setup test",
            "article": {
                "type": "chat",
                "sender": "Customer",
                "internal": False,
                "content_type": "text/plain",
                "body": "Crossdesk tries whether everything is set up.",
                "message_id": f"crossdesk-setup:{uuid.uuid4().hex}",
            },
        }
        made = dict(self._bridge().create("POST", "/tickets?expand=true", data))
        if made.get("cd_state") != "handoff":
            self._clean(made)
            raise _Wrong("the custom fields are not there: Zammad ignored what was written into them")
        return {**made, "says": f"opened as {made.get('number')}, with its custom fields"}

    def _reply(self, key: int) -> Mapping[str, Any]:
        article = {
            "ticket_id": key,
            "type": "phone",
            "sender": "Agent",
            "internal": False,
            "content_type": "text/plain",
            "body": "Test reply.",
        }
        made = dict(self._server.client().create("POST", "/ticket_articles", article))
        return {**made, "says": "a public phone article, as an agent writes it"}

    def _seen(self, article_id: int) -> str:
        """Wait for Zammad's log to show our delivery. Its queue is worked every few seconds."""
        until = time.monotonic() + self._webhook_seconds
        while True:
            rows = self._server.client().read_rows("/http_logs/webhook", {"limit": 50})
            statuses = [
                str(row.get("status") or "no answer") for row in rows if row.get("url") == self._webhook and _is_about(row, article_id)
            ]
            if any(status.startswith("2") for status in statuses):
                return f"{self._webhook} was told, and took it"
            if statuses and time.monotonic() > until - self._webhook_seconds + _PATIENCE:
                raise _Wrong(f"{self._webhook} answered {statuses[0]}")
            if time.monotonic() > until:
                raise _Wrong(f"Zammad sent nothing to {self._webhook} within {self._webhook_seconds:.0f} seconds")
            time.sleep(0.5)

    def _hold(self, key: int, article_id: int) -> str:
        changed = self._bridge().write("PUT", f"/ticket_articles/{article_id}", {"internal": True})
        if not isinstance(changed, Mapping) or changed.get("internal") is not True:
            raise _Wrong("Zammad left the reply public")
        self._bridge().write("PUT", f"/tickets/{key}", _CLOCK)
        if self._bridge().read_row(f"/tickets/{key}").get("first_response_at") is not None:
            raise _Wrong("the reply is held, but Zammad goes on counting it as first response")
        return "made internal by the bridge, and no longer counted as first response"

    def _refused(self, key: int, data: Mapping[str, Any]) -> str:
        try:
            self._server.client().write("PUT", f"/tickets/{key}", data)
        except RemoteRejected as problem:
            if problem.detail.startswith("422"):
                return "Zammad refused it to the agent"
            raise
        raise _Wrong("Zammad let the agent do it")

    def _close(self, key: int) -> str:
        changed = self._bridge().write("PUT", f"/tickets/{key}?expand=true", {"state": self._closed_state, "cd_state": "resolved"})
        if not isinstance(changed, Mapping) or changed.get("state") != self._closed_state:
            raise _Wrong("Zammad left the ticket open")
        return "closed"

    def _clean(self, ticket: Mapping[str, Any]) -> str:
        self._server.client().write("DELETE", f"/tickets/{ticket['id']}", {})
        return "the test ticket is deleted"


def _is_about(row: Mapping[str, Any], article_id: int) -> bool:
    """Whether a line of the log is a delivery that shows this article. The ticket stands first in it, should the log have cut the rest."""
    request = row.get("request")
    found = _ARTICLES.search(str(request.get("content", ""))) if isinstance(request, Mapping) else None
    return found is not None and str(article_id) in found[1].replace(" ", "").split(",")


class _Wrong(Exception):
    """The server answered, but not as it must."""
