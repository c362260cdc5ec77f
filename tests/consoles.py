"""A console to knock at: a whole bridge on a real database, a practice desk that knows the staff, and some conversations to look at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from plugin import bootstrap
from plugin.bootstrap import Bridge
from plugin.config import load
from plugin.domain.codec import encode
from plugin.handlers.admission import Admission, Role
from plugin.policy.approvals import Candidate
from plugin.policy.locks import Agent, Lock
from tests.engine import Engine
from ui_extensions.console.app import create_app
from ui_extensions.rehearsal import serving
from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Staff, create_desk

HOSTILE = "<script>window.hit=1</script>\"'><img src=x onerror=window.hit=1> {{7*7}} \u202egnp.exe"
TOWER = HOSTILE + " javascript:window.hit=1 a" + "\u0301" * 10_000 + "!"
"""The same in what people say at length."""
SECRET = "rehearsal-token-of-the-console-9876"
_CONFIGURATION = """
[crossdesk]
public_url = "http://127.0.0.1:8010"

[database]
url = "{database}"

[secrets]
keys = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]

[console]
admins = ["Admin"]
supervisors = ["Agent"]
auditors = ["Auditors"]

[helpdesk.fake]
kind = "zammad"
url = "{desk}"
group = "Social"
token = "bridge-token-0001"
webhook_token = "webhook-token-of-the-desk"

[channel.fake]
platform = "rehearsal"
url = "http://127.0.0.1:9"
token = "{secret}"
webhook_secret = "webhook-secret-of-the-network"

[[policy.crossover]]
name = "complaint"
when = "keyword"
any_of = ["complaint"]
"""
STAFF = (
    Staff(login="mia@acme.example", token="mia-token", firstname="Mia", lastname="Brandt", role="admin", password="mia's password"),
    Staff(login="ada@acme.example", token="ada-token", firstname="Ada", lastname="Okafor", password="ada's password"),
    Staff(login="lena@acme.example", token="lena-token", firstname="Lena", role="customer", password="lena's password"),
)


_SET_UP = (
    "INSERT INTO alert (place, code, text) VALUES ('channel:fake', 'gap', :words)",
    "UPDATE intent SET state = 'quarantined', reason = 'rejected', reason_text = :words, remote_ref = NULL WHERE op = 'reply'",
    "UPDATE conversation SET ticket_owner = :words, ticket_group = 'Social', ticket_number = '4711' WHERE id = 1",
)
"""What takes longer to bring about than to write: an alert, and a reply that is set aside."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands behind a console."""

    bridge: Bridge
    engine: Engine

    def client(self) -> FlaskClient:
        """A browser without cookies."""
        return create_app(self.bridge).test_client()

    def visitor(self, role: Role) -> Visitor:
        """Somebody who came in by a link."""
        visitor = Visitor(self.client())
        visitor.enter(self.link(role))
        return visitor

    def link(self, role: Role) -> str:
        """What a fresh link carries."""
        bridge = self.bridge
        return Admission(bridge.installation, bridge.database, bridge.passes, bridge.config.console).link(role, actor="test")

    def one(self, statement: str, **parameters: Any) -> Any:
        """One value from the database."""
        with self.bridge.database.begin() as connection:
            return connection.execute(text(statement), parameters).scalar()


def await_approval(house: Ground, *, author: str = "Ada Agent", holder: str = "Bo Busy") -> int:
    """The reply of the first conversation waits for a second person, and somebody has the lock. Returns the reply's number."""
    number = int(house.one("SELECT event_id FROM intent WHERE op = 'reply' AND conversation_id = 1 LIMIT 1"))
    soon = datetime.now(UTC) + timedelta(minutes=20)
    one = Candidate(
        number=number,
        author=Agent(name=author),
        rule="public",
        reason=HOSTILE,
        approvers="Leads",
        within=1200.0,
        deadline=soon,
        answers="a",
    )
    lock = Lock(holder=Agent(name=holder), fence=3, until=soon)
    house.one("UPDATE intent SET state = 'held', reason = 'approval' WHERE event_id = :id AND op = 'reply' RETURNING 1", id=number)
    house.one(
        "UPDATE conversation SET candidates = CAST(:candidates AS jsonb), agent_lock = CAST(:lock AS jsonb) WHERE id = 1 RETURNING 1",
        candidates=json.dumps([encode(one)]),
        lock=json.dumps(encode(lock)),
    )
    return number


class Visitor:
    """A person at a browser without JavaScript: opens pages, and sends the forms that stand in them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def enter(self, token: str) -> int:
        """Come in by a link."""
        return self.send(f"/enter?token={token}", to="/enter")[0]

    def look(self, address: str) -> str:
        """The page at an address, which must be there."""
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.get_data(as_text=True))
        return answer.get_data(as_text=True)

    def send(self, page: str, *, to: str = "", **fields: str) -> tuple[int, str]:
        """Fill in the form of a page and send it: status and page of the answer."""
        shown = self.client.get(page).get_data(as_text=True)
        answer = self.client.post(to or page, data={**hidden(shown, to or page), **fields})
        return answer.status_code, answer.get_data(as_text=True)


def hidden(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes to `action`."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if f'action="{action}"' in form:
            return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return {}


@contextmanager
def ground(database_url: str, folder: Path) -> Iterator[Ground]:
    """A console with conversations behind it: hostile words, a held reply, something set aside."""
    desk = create_desk(DeskSettings(bridge=Staff(login="bridge@acme.example", token="bridge-token-0001"), staff=STAFF))
    engine = Engine(database_url)
    with serving.background(serving.bind(lambda _: desk)) as address:
        file = folder / "crossdesk.toml"
        file.write_text(_CONFIGURATION.format(database=database_url.replace("+psycopg", ""), desk=address, secret=SECRET))
        file.chmod(0o600)
        bridge = bootstrap.build(load(file, platforms=bootstrap.platforms(), helpdesks=bootstrap.helpdesks(), environ={}), pool_size=4)
        bridge.register()
        try:
            _converse(engine)
            yield Ground(bridge, engine)
        finally:
            bridge.database.dispose()
            engine.close()
            desk.extensions[EXTENSION].stop()


def _converse(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Where is my parcel?"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    engine.tell(engine.network.say(HOSTILE, TOWER))
    engine.settle()
    with engine.database.begin() as connection:
        for statement in _SET_UP:
            connection.execute(text(statement), {"words": TOWER})
