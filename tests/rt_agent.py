"""An agent at a real Request Tracker, with credentials of their own: replies, comments, takes, resolves, merges, deletes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import requests


class RtAgent:
    """One agent. `info` is what `tests.servers.rt` tells; `name` is "agent" or "second". Every method returns when RT has done it."""

    def __init__(self, info: dict[str, Any], name: str = "agent") -> None:
        self._url = info["url"]
        self._auth = (name, info["agent_password"])
        self._signed_in: requests.Session | None = None
        self._bodies: dict[str, str] = {}

    def reply(self, ticket: str, html: str, *, files: Sequence[tuple[str, bytes, str]] = (), content_type: str = "text/html") -> str:
        """Answer the customer; files as (name, bytes, content type). Returns the transaction's id."""
        return self._say("correspond", ticket, html, files, content_type)

    def comment(self, ticket: str, html: str, *, files: Sequence[tuple[str, bytes, str]] = (), content_type: str = "text/html") -> str:
        """Write a note. Returns the transaction's id."""
        return self._say("comment", ticket, html, files, content_type)

    def reply_in_browser(self, ticket: str, html: str, *, files: Sequence[tuple[str, bytes, str]] = (), **fields: str) -> None:
        """Answer through RT's own reply page, as people do; `fields` are further ones of its form."""
        answer = self._submit(ticket, html, files, fields)
        assert answer.status_code == 302, answer.text[:500]

    def refused_in_browser(self, ticket: str, html: str) -> str:
        """Try to. Returns the page on which RT says why not."""
        answer = self._submit(ticket, html, (), {})
        assert answer.status_code == 200, answer.status_code
        return answer.text

    def page(self, path: str) -> str:
        """One of RT's pages as HTML."""
        with self._browser() as browser:
            answer = browser.get(f"{self._url}{path}", headers={"Referer": f"{self._url}/"}, timeout=60)
            assert answer.status_code == 200, answer.text[:500]
            return answer.text

    def _submit(self, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]], fields: Mapping[str, str]) -> requests.Response:
        with self._browser() as browser:
            page = {"Referer": f"{self._url}/Ticket/Update.html?id={ticket}"}
            form = browser.get(f"{self._url}/Ticket/Update.html?id={ticket}&Action=Respond", headers=page, timeout=60)
            token = re.search(r'name="Token" value="([^"]*)"', form.text)
            data = {
                "id": ticket,
                "Action": "Respond",
                "UpdateType": "response",
                "UpdateSubject": "Re: your question",
                "UpdateContent": html,
                "UpdateContentType": "text/html",
                "SubmitTicket": "Update Ticket",
                "Token": token[1] if token else "",
                **fields,
            }
            return browser.post(
                f"{self._url}/Ticket/Update.html",
                data=data,
                files=[("Attach", file) for file in files] or None,
                headers=page,
                allow_redirects=False,
                timeout=60,
            )

    def set(self, ticket: str, **values: Any) -> None:
        """Change fields by RT's names: Status, Owner, Queue, Subject, Priority."""
        self._ask("PUT", f"/ticket/{ticket}", json=values)

    def resolve(self, ticket: str) -> None:
        """Close the ticket."""
        self.set(ticket, Status="resolved")

    def take(self, ticket: str) -> None:
        """Become its owner."""
        self._ask("PUT", f"/ticket/{ticket}/take", json={})

    def merge(self, ticket: str, *, into: str) -> None:
        """Merge a ticket into another."""
        said = self._ask("PUT", f"/ticket/{ticket}", json={"MergeInto": int(into)}).json()
        assert "Merge Successful" in said, said

    def delete(self, ticket: str) -> None:
        """Delete it, as RT does: it keeps the ticket with the status deleted."""
        self._ask("DELETE", f"/ticket/{ticket}")

    def open(self, queue: str, subject: str) -> str:
        """A ticket of the agent's own. Returns its id."""
        body = {"Queue": queue, "Subject": subject, "Content": "opened by an agent", "ContentType": "text/plain"}
        return str(self._ask("POST", "/ticket", json=body).json()["id"])

    def ticket(self, ticket: str) -> dict[str, Any]:
        """As RT shows it, the queue by name."""
        shown: dict[str, Any] = self._ask("GET", f"/ticket/{ticket}?fields[Queue]=Name").json()
        return shown

    def tickets(self, subject: str) -> list[str]:
        """The ids of the tickets whose subject contains `subject`, oldest first."""
        query = f"Subject LIKE '{subject}'"
        rows = self._ask("GET", "/tickets", params={"query": query, "orderby": "id", "per_page": 100}).json()["items"]
        return [str(row["id"]) for row in rows]

    def files(self, ticket: str) -> dict[str, bytes]:
        """The files in the ticket by name."""
        rows = self._ask("GET", f"/ticket/{ticket}/attachments?fields=Filename&per_page=100").json()["items"]
        found = [self._ask("GET", f"/attachment/{row['id']}").json() for row in rows if row.get("Filename")]
        return {row["Filename"]: base64.b64decode(row["Content"]) for row in found}

    def texts(self, ticket: str) -> list[tuple[str, str, str]]:
        """The conversation as (type, creator, HTML or text of the body), oldest first."""
        rows = self._ask("GET", f"/ticket/{ticket}/history?fields=Type,Creator&per_page=100").json()["items"]
        said = [row for row in rows if row["Type"] in ("Create", "Correspond", "Comment")]
        return [(row["Type"], row["Creator"]["id"], self._body(row["id"])) for row in said]

    def _body(self, transaction: str) -> str:
        """What was said then. RT never changes a transaction, and a look at each costs it as much as a page."""
        if transaction not in self._bodies:
            path = f"/transaction/{transaction}/attachments?fields=Content,ContentType,Filename&per_page=100"
            parts = self._ask("GET", path).json()["items"]
            bodies = (part["Content"] for part in parts if part["ContentType"].startswith("text/") and not part["Filename"])
            self._bodies[transaction] = next(bodies, "")
        return self._bodies[transaction]

    def _say(self, kind: str, ticket: str, html: str, files: Sequence[tuple[str, bytes, str]], content_type: str) -> str:
        body = {"Content": html, "ContentType": content_type}
        if files:
            answer = self._ask(
                "POST", f"/ticket/{ticket}/{kind}", data={"JSON": json.dumps(body)}, files=[("Attachments", file) for file in files]
            )
        else:
            answer = self._ask("POST", f"/ticket/{ticket}/{kind}", json=body)
        return answer.headers["Location"].rpartition("/")[2]

    def _ask(self, method: str, path: str, **sent: Any) -> requests.Response:
        # By cookie: RT hashes a password slowly, as it should, at every call that brings one.
        self._signed_in = self._signed_in or self._browser()
        answer = self._signed_in.request(method, f"{self._url}/REST/2.0{path}", timeout=60, **sent)
        assert answer.ok, (answer.status_code, answer.text[:500])
        return answer

    def _browser(self) -> requests.Session:
        browser = requests.Session()
        answer = browser.post(
            f"{self._url}/NoAuth/Login.html",
            data={"user": self._auth[0], "pass": self._auth[1], "next": "x"},
            allow_redirects=False,
            timeout=60,
        )
        assert answer.status_code == 302
        return browser
