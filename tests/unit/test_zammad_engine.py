"""The engine on the desk that behaves as a recorded Zammad, set up by `helpdesk apply`: every button does what its label says, and every way round ends
where the crossover contract says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection
from plugin.contracts.signing import sign
from plugin.domain.clock import SystemClock
from plugin.domain.ids import HelpdeskKey
from plugin.handlers import approving, commands
from plugin.handlers.installation import PolicyAtWork
from plugin.helpdesks.zammad.adapter import HELPDESK
from plugin.policy import approvals, locks, presses
from plugin.policy.policy import Policy
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.fakes import MemorySecrets
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from plugin.transport.client import Transport
from tests.engine import DESK, Engine
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.server import DeskServer

_TOKEN = "fake-signature-token"
_CARD = "Your card 4111 1111 1111 1111 was charged."
_OBJECTS = json.loads(resources.files("plugin.helpdesks.zammad.provision").joinpath("objects.json").read_text())
_CHOICES = next(item for item in _OBJECTS if item["name"] == "Ticket.cd_action")["wanted"]["data_option"]["options"]
_MACROS = {item["name"]: item["wanted"]["perform"] for item in _OBJECTS if item["kind"] == "macro"}
_KNOWN = {*presses.ACTIONS, *locks.ACTIONS, *approvals.ACTIONS, approving.RECALL, *commands.ACTIONS}


@dataclass
class Person:
    """Somebody who works in Zammad by its API, as the ticket view does."""

    url: str
    token: str
    session: requests.Session

    def ask(self, method: str, path: str, data: Any = None, *, expects: int = 200) -> Any:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}"}
        answer = self.session.request(method, f"{self.url}/api/v1{path}", json=data, headers=headers, timeout=20)
        assert answer.status_code in {expects, 201 if expects == 200 else expects}, answer.text
        return answer.json()


@dataclass
class Ground:
    """The engine, its Zammad, and those who work there: an agent, another one, and an admin who supervises."""

    engine: Engine
    gus: Person
    eve: Person
    ada: Person
    http: Any
    ticket: str = ""

    def settle(self) -> None:
        """Zammad's webhook says that the ticket was touched."""
        row = self.gus.ask("GET", f"/tickets/{self.ticket}?expand=true")
        row["updated_at"] += f"#{len(self.engine.rows('SELECT 1 FROM receipt'))}"
        body = json.dumps({"ticket": row, "article": {}}).encode()
        headers = {"x-hub-signature": f"sha1={sign(_TOKEN, body, digest='sha1')}"}
        self.engine.receive(DESK, WebhookRequest(method="POST", path="", headers=headers, query={}, body=body))
        self.engine.settle(seconds=30)

    def save(self, who: Person, *, expects: int = 200, **form: Any) -> None:
        who.ask("PUT", f"/tickets/{self.ticket}?all=true", form, expects=expects)
        if expects == 200:
            self.settle()

    def reply(self, who: Person, words: str, **form: Any) -> int:
        article = {"type": "phone", "sender": "Agent", "internal": False, "content_type": "text/html", "body": words}
        self.save(who, article=article, **form)
        return max(int(row["id"]) for row in self.articles() if words in row["body"] and row["type"] == "phone")

    def press(self, who: Person, macro: str, *, reason: str = "") -> None:
        """Run a macro as the ticket view does: what it sets, with the form."""
        form = {name.removeprefix("ticket."): act["value"] for name, act in _MACROS[macro].items() if name != "ticket.owner_id"}
        if "ticket.owner_id" in _MACROS[macro]:
            form["owner_id"] = who.ask("GET", "/users/me")["id"]
        self.save(who, cd_reason=reason, **form)
        assert self.row()["cd_action"] == "", "the bridge empties the slot"

    def row(self) -> dict[str, Any]:
        return dict(self.gus.ask("GET", f"/tickets/{self.ticket}?expand=true"))

    def articles(self) -> list[dict[str, Any]]:
        return list(self.gus.ask("GET", f"/ticket_articles/by_ticket/{self.ticket}"))

    def article(self, number: int) -> dict[str, Any]:
        return next(row for row in self.articles() if row["id"] == number)

    def told(self, words: str) -> list[str]:
        """What the bridge tells agents, with these words in it."""
        return [row["body"] for row in self.articles() if row["internal"] and words in row["body"]]

    def tags(self) -> list[str]:
        return list(self.gus.ask("GET", f"/tags?object=Ticket&o_id={self.ticket}")["tags"])

    def cards(self) -> list[str]:
        return [row["body"] for row in self.articles() if (row["preferences"] or {}).get("delivery_message")]


@pytest.fixture
def ground(database_url: str) -> Iterator[Ground]:
    groups = ("Users", "Social", "Formal")
    staff = (
        Staff(login="gus@example.com", token="gus", firstname="Gus", lastname="Agent"),
        Staff(login="eve@example.com", token="eve", firstname="Eve", lastname="Agent"),
        Staff(login="ada@example.com", token="ada", firstname="Ada", lastname="Admin", role="admin"),
    )
    bridge = Staff(login="crossdesk@example.com", token="bridge", firstname="Social", lastname="Bridge", groups=groups)
    with DeskServer(DeskSettings(bridge=bridge, staff=staff, groups=groups)) as server:
        transport = Transport()
        connection = Connection(
            http=transport.client(name="Zammad", secrets=["bridge"]), clock=SystemClock(), secrets=MemorySecrets(), webhook_url=""
        )
        settings = {"url": server.url, "token": "bridge", "group": "Social", "webhook_token": _TOKEN, "settle_seconds": 1.0}
        adapter = HELPDESK.connect(HelpdeskKey("fake"), HELPDESK.settings_schema.load(settings), connection)
        setup = adapter.provisions("ada")
        setup.apply(setup.plan())
        session = requests.Session()
        gus, eve, ada = (Person(server.url, token, session) for token in ("gus", "eve", "ada"))
        _give_roles(ada, "Social Supervisor", "Social Approver")
        policy = PolicyAtWork(judge=TableJudge(), book=Policy())
        engine = Engine(database_url, network=AbleNetwork(), helpdesk=cast(Any, adapter), policy=policy)
        engine.tell(engine.network.say("maria", "My router is broken"))
        engine.settle(seconds=30)
        made = Ground(engine, gus, eve, ada, transport)
        made.ticket = str(engine.rows("SELECT ticket_ref FROM conversation")[0].ticket_ref)
        made.settle()
        yield made
        assert engine.balance().is_ok
        engine.close()
        session.close()
        transport.close()


def _give_roles(admin: Person, *names: str) -> None:
    me = admin.ask("GET", "/users/me")
    roles = {row["name"]: row["id"] for row in admin.ask("GET", "/roles")}
    admin.ask("PUT", f"/users/{me['id']}", {"role_ids": [*me["role_ids"], *(roles[name] for name in names)]})


# Buttons


def test_every_choice_and_every_macro_is_known_to_the_bridge() -> None:
    assert set(_CHOICES) <= _KNOWN
    assert {perform["ticket.cd_action"]["value"] for perform in _MACROS.values()} <= set(_CHOICES)
    seed = (Path(__file__).parents[2] / "plugin/helpdesks/rt/seed.pl").read_text()
    found = re.search(r"'Crossdesk Action'.*?qw\(([^)]*)\)", seed, re.DOTALL)
    assert found is not None
    assert set(found[1].split()) == set(_CHOICES)
    fields = (Path(__file__).parents[2] / "ui_extensions/osticket/crossdesk/src/Fields.php").read_text()
    _, _, offered = fields.partition("const ACTIONS = [")
    assert dict(re.findall(r"'(\w+)' => '([^']*)'", offered.partition("];")[0])) == _CHOICES


def test_the_macros_of_the_crossover_do_what_their_labels_say(ground: Ground) -> None:
    ground.press(ground.gus, "Social: postpone", reason="A minute more")
    assert ground.told("put the handoff off")
    ground.press(ground.gus, "Social: hand off")
    assert ground.row()["cd_state"] == "handoff"
    ground.press(ground.ada, "Social: undo handoff", reason="A mistake")
    assert ground.row()["cd_state"] == "social"
    ground.press(ground.gus, "Social: hand off")
    ground.press(ground.gus, "Social: confirm resolution")
    assert ground.row()["cd_state"] == "formal"
    ground.press(ground.gus, "Social: confirm resolution")
    assert ground.row()["cd_state"] == "confirming"
    ground.press(ground.gus, "Social: customer denied", reason="On the phone just now")
    assert ground.row()["cd_state"] == "formal"
    ground.press(ground.gus, "Social: customer confirmed", reason="On the phone just now")
    assert (ground.row()["cd_state"], ground.row()["state"]) == ("resolved", "closed")


def test_only_a_supervisor_closes_without_the_customer(ground: Ground) -> None:
    ground.press(ground.gus, "Social: hand off")
    ground.save(ground.gus, cd_action="close", cd_reason="I say so", expects=422)
    ground.press(ground.ada, "Social: close without confirmation", reason="Spoke with them")
    assert (ground.row()["cd_state"], ground.row()["state"]) == ("resolved", "closed")


def test_the_macros_of_replies_do_what_their_labels_say(ground: Ground) -> None:
    held = ground.reply(ground.gus, _CARD)
    assert ground.engine.delivered() == []
    ground.press(ground.ada, "Social: release", reason="A test card")
    assert ground.engine.delivered() == [_CARD]
    assert not ground.article(held)["internal"]
    ground.press(ground.gus, "Social: request approval")
    ground.reply(ground.gus, "We pay you 5,000.")
    assert ground.row()["cd_approval"] == "pending"
    ground.save(ground.gus, cd_action="approve", expects=422)
    ground.press(ground.ada, "Social: approve")
    assert (ground.engine.delivered()[-1], ground.row()["cd_approval"]) == ("We pay you 5,000.", "")
    ground.press(ground.gus, "Social: request approval")
    rejected = ground.reply(ground.gus, "We pay you 6,000.")
    ground.press(ground.ada, "Social: reject", reason="Too much")
    assert ground.told("rejected reply")
    assert ground.article(rejected)["internal"]
    ground.engine.network.faults.script("deliver", Fault.REFUSE)
    ground.reply(ground.gus, "Restart it, please.")
    assert (ground.row()["cd_delivery"], ground.tags()) == ("failed", ["cd-failed"])
    ground.press(ground.gus, "Social: send again")
    assert (ground.engine.delivered()[-1], ground.row()["cd_delivery"], ground.tags()) == ("Restart it, please.", "sent", [])


def test_the_macros_of_the_conversation_do_what_their_labels_say(ground: Ground) -> None:
    ground.press(ground.gus, "Social: move to private")
    assert ground.engine.delivered()[0].startswith("Let us go on in private")
    ground.engine.press("take_lock", who="Eve Agent", agent_ref="eve@example.com")
    ground.engine.settle(seconds=30)
    assert ground.row()["cd_lock"].startswith("Eve Agent until ")
    ground.press(ground.gus, "Social: take over", reason="Eve went home")
    assert (ground.row()["cd_lock"][:9], ground.row()["owner"]) == ("Gus Agent", "gus@example.com")
    ground.press(ground.gus, "Social: mark as scam", reason="Asks for gift cards")
    assert ground.tags() == ["cd-scam"]
    kept = ground.reply(ground.gus, "Here is your refund.")
    assert ground.article(kept)["internal"]
    ground.press(ground.ada, "Social: no scam", reason="It is Maria herself")
    assert ground.engine.delivered()[-1] == "Here is your refund."
    assert ground.tags() == []


# Replies that are held


def test_a_held_reply_is_hidden_with_a_card_and_counts_from_when_it_left(ground: Ground) -> None:
    held = ground.reply(ground.gus, _CARD)
    assert (ground.article(held)["internal"], ground.row()["first_response_at"]) == (True, None)
    (card,) = ground.cards()
    assert "card number" in card
    assert "press `release`" in card
    assert (ground.row()["cd_delivery"], ground.tags()) == ("held", ["cd-held"])
    ground.press(ground.ada, "Social: release", reason="A test card")
    assert not ground.article(held)["internal"]
    assert ground.row()["first_response_at"] is not None
    assert ground.row()["cd_delivery"] == "sent"


def test_a_held_reply_that_is_set_to_public_again_is_judged_anew(ground: Ground) -> None:
    held = ground.reply(ground.gus, _CARD)
    ground.gus.ask("PUT", f"/ticket_articles/{held}", {"internal": False})
    ground.settle()
    assert (ground.article(held)["internal"], len(ground.cards()), ground.engine.delivered()) == (True, 2, [])


# Ways round


def test_closing_is_refused_by_the_workflow_and_put_right_where_that_does_not_look(ground: Ground) -> None:
    ground.press(ground.gus, "Social: hand off")
    ground.save(ground.gus, state="closed", expects=422)
    ground.save(ground.gus, state="closed", cd_state="resolved", expects=422)
    # A trigger, a scheduler or the console asks no workflow; here the bridge's own account stands in for them.
    Person(ground.gus.url, "bridge", ground.gus.session).ask("PUT", f"/tickets/{ground.ticket}", {"state": "closed"})
    ground.settle()
    assert ground.row()["state"] == "open"
    assert ground.told("closed")


def test_a_merge_is_followed(ground: Ground) -> None:
    other = ground.gus.ask("POST", "/tickets", {"title": "by mail", "group": "Social", "customer_id": 1, "article": {"body": "x"}})
    ground.gus.ask("PUT", f"/ticket_merge/{ground.ticket}/{other['number']}")
    ground.settle()
    ground.ticket = str(other["id"])
    assert ground.told("merged into this one")
    ground.reply(ground.gus, "Restart it, please.")
    assert ground.engine.delivered() == ["Restart it, please."]


def test_what_is_split_off_is_no_conversation_of_ours(ground: Ground) -> None:
    first = ground.row()
    made = {"title": "split off", "group": "Social", "customer_id": first["customer_id"], "article": {"body": "My router is broken"}}
    other = ground.gus.ask("POST", "/tickets", made)
    ours, ground.ticket = ground.ticket, str(other["id"])
    ground.reply(ground.gus, "Only among us.")
    ground.ticket = ours
    ground.reply(ground.gus, "Restart it, please.")
    assert ground.engine.delivered() == ["Restart it, please."]


def test_a_public_reply_after_the_handoff_is_not_sent(ground: Ground) -> None:
    ground.press(ground.gus, "Social: hand off")
    said = len(ground.engine.delivered())
    held = ground.reply(ground.gus, "Restart it, please.")
    assert (len(ground.engine.delivered()), ground.article(held)["internal"]) == (said, True)
    assert any("formal ticket" in card and "`release`" in card for card in ground.cards())


def test_an_old_internal_reply_that_is_set_to_public_is_judged_as_a_new_one(ground: Ground) -> None:
    article = {"type": "phone", "sender": "Agent", "internal": True, "content_type": "text/html", "body": "Ask the boss first."}
    ground.save(ground.gus, article=article)
    ground.press(ground.gus, "Social: hand off")
    said = len(ground.engine.delivered())
    number = max(int(row["id"]) for row in ground.articles() if row["type"] == "phone")
    ground.gus.ask("PUT", f"/ticket_articles/{number}", {"internal": False})
    polled = ground.engine.installation.desks[DESK].adapter.poll(None)  # type: ignore[attr-defined]
    assert [event.ticket_ref for event in polled.events] == [ground.ticket]
    ground.settle()
    assert (len(ground.engine.delivered()), ground.article(number)["internal"]) == (said, True)


def test_a_public_note_is_no_reply_and_its_author_reads_so_once(ground: Ground) -> None:
    for words in ("We are on it.", "Still on it."):
        ground.save(ground.gus, article={"type": "note", "sender": "Agent", "internal": False, "body": words})
    assert ground.engine.delivered() == []
    assert len(ground.told("is not sent")) == 1


def test_a_reply_without_the_lock_is_not_sent(ground: Ground) -> None:
    ground.engine.press("take_lock", who="Eve Agent", agent_ref="eve@example.com")
    ground.engine.settle(seconds=30)
    held = ground.reply(ground.gus, "Restart it, please.")
    assert (ground.engine.delivered(), ground.article(held)["internal"]) == ([], True)
    assert any("Eve Agent has the lock" in card for card in ground.cards())


def test_fields_of_the_bridge_that_are_written_by_others_are_put_right(ground: Ground) -> None:
    ground.save(ground.gus, cd_state="resolved", expects=422)
    ground.save(ground.gus, cd_channel="other", cd_lock="Nobody")
    assert ground.row()["cd_channel"] == "fake"
