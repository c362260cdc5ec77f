"""An agent at the osTicket shim: posts what an agent's browser posts to the staff panel, and reads what is stored."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import requests

from tests.servers.osticket import run_sql


class OsTicketAgent:
    """One agent, Ada. Every method returns when osTicket has done it; a refusal is returned as its sentence."""

    def __init__(self, info: dict[str, Any]) -> None:
        self._info = info

    def reply(
        self, ticket: str, html: str, *, files: Sequence[tuple[str, bytes, str]] = (), to: str = "all", copies: Sequence[str] = ()
    ) -> str:
        """Answer the customer; files as (name, bytes, content type)."""
        sent: dict[str, Any] = {"a": "reply", "id": ticket, "response": html, "reply-to": to, "ccs[]": list(copies)}
        sent |= {"file_names[]": [name for name, _, _ in files], "file_types[]": [kind for _, _, kind in files]}
        sent["file_data[]"] = [base64.b64encode(content).decode() for _, content, _ in files]
        return self._post("/scp/tickets.php", sent)

    def note(self, ticket: str, html: str) -> None:
        """Write an internal note."""
        self._post("/scp/tickets.php", {"a": "postnote", "id": ticket, "note": html})

    def edit_and_resend(self, ticket: str, entry: str, html: str) -> None:
        """Use "Edit and Resend" on a reply."""
        self._post(f"/scp/ajax.php/tickets/{ticket}/thread/{entry}/edit_resend", {"body": html, "commit": "resend"})

    def set_status(self, ticket: str, status: int) -> str:
        """1 open, 2 resolved, 3 closed, 5 deleted."""
        return self._post(f"/scp/ajax.php/tickets/{ticket}/status", {"status_id": str(status)})

    def choose(self, ticket: str, **values: str) -> None:
        """Fill in fields of the ticket by name, as the inline editor does: one after the other."""
        for name, value in values.items():
            self._post(f"/scp/ajax.php/tickets/{ticket}/field/{name}/edit", {"value": value})

    def merge(self, ticket: str, into: str) -> None:
        """Combine a ticket with another one, which lives on."""
        self._post(f"/scp/ajax.php/tickets/{ticket}/merge", {"into": into})

    def assign(self, ticket: str) -> None:
        """Take the ticket."""
        self._post(f"/scp/ajax.php/tickets/{ticket}/assign", {"staff": "1"})

    def cron(self) -> None:
        """osTicket's cron runs."""
        self._post("/api/tasks/cron", {})

    def tickets(self, words: str) -> list[str]:
        """Tickets with `words` in an entry."""
        statement = (
            "SELECT DISTINCT t.object_id FROM ost_thread_entry n JOIN ost_thread t ON t.id = n.thread_id "
            f"WHERE n.body LIKE '%{words}%' AND t.object_type = 'T' ORDER BY 1"
        )
        return [row["object_id"] for row in run_sql(self._info, statement)]

    def entries(self, ticket: str) -> list[tuple[str, str, str]]:
        """(type, poster, body) of each entry, oldest first."""
        statement = (
            "SELECT n.type, n.poster, n.body FROM ost_thread_entry n JOIN ost_thread t ON t.id = n.thread_id "
            f"WHERE t.object_id = {int(ticket)} AND t.object_type = 'T' ORDER BY n.id"
        )
        return [(row["type"], row["poster"], row["body"]) for row in run_sql(self._info, statement)]

    def fields(self, ticket: str) -> dict[str, str | None]:
        """The ticket's fields by name."""
        statement = (
            "SELECT f.name, v.value FROM ost_form_entry e JOIN ost_form_entry_values v ON v.entry_id = e.id "
            f"JOIN ost_form_field f ON f.id = v.field_id WHERE e.object_id = {int(ticket)} AND e.object_type = 'T'"
        )
        return {row["name"]: row["value"] for row in run_sql(self._info, statement)}

    def mails(self) -> list[str]:
        """The addresses to which osTicket would have sent mail."""
        return [row["address"] for row in run_sql(self._info, "SELECT address FROM ost_mail")]

    def _post(self, path: str, data: dict[str, Any]) -> str:
        answer = requests.post(self._info["url"] + path, data=data, allow_redirects=False, timeout=30)
        assert answer.status_code in (200, 201, 302), (answer.status_code, answer.text)
        return answer.text
