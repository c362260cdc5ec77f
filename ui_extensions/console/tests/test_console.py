"""The console's pages and acts: who may, what a form must carry, that it counts once, and that hostile words stay words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from plugin.cli.consoles import console
from plugin.cli.shared import Settings
from plugin.handlers.admission import Role
from tests.consoles import HOSTILE, SECRET, STAFF, Ground, Visitor, await_approval, ground, hidden
from tests.engine import Counter
from ui_extensions.console.acts import ACTS
from ui_extensions.console.app import PATH, create_console
from webhooks.app import create_app

PAGES = ("/", "/board", "/figures", "/figures?hours=168", "/held", "/ledger", "/channels", "/channels/channel:fake", "/policy", "/audit")
DEEP = (
    "/channels/helpdesk:fake",
    "/ledger/1",
    "/ledger?q=maria",
    "/conversations/1",
    "/conversations/2",
    "/board?stage=social",
    "/audit?q=console",
)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Ground]:
    with ground(database_url, tmp_path) as found:
        yield found


class Tags(HTMLParser):
    """Every tag with its attributes, and the text beside them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def inert(page: str, address: str) -> str:
    """The words of a page, in which nothing can do anything."""
    tags = Tags(page)
    for tag, attributes in tags.found:
        assert tag not in {"script", "img", "style", "iframe"}, (address, tag)
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (address, tag, attributes)
        assert not (attributes.get("href") or "").lower().startswith("javascript:")
    return "".join(tags.words)


def test_every_page_opens_with_strict_headers_and_hostile_words_stay_words(house: Ground) -> None:
    admin = house.visitor(Role.ADMIN)
    waiting = await_approval(house, author=HOSTILE, holder=HOSTILE)
    seen = ""
    for address in (
        *PAGES,
        *DEEP,
        "/diagnostics",
        "/helpdesks/fake",
        "/approvals",
        f"/ledger/{waiting}",
        f"/act/approve/1?reply={waiting}",
    ):
        page = admin.look(address)
        headers = admin.client.get(address).headers
        assert headers["Cache-Control"] == "no-store"
        assert "script-src 'none'" in headers["Content-Security-Policy"]
        assert "'unsafe-inline'" not in headers["Content-Security-Policy"]
        assert SECRET not in page
        words = inert(page, address)
        assert HOSTILE in words or address not in {"/", "/board", "/held", "/approvals", f"/ledger/{waiting}", "/conversations/1"}, address
        seen += words
    assert seen.count(HOSTILE) > 5
    assert "49 gnp" not in seen
    assert "\u0301" * 6 + "…" in seen
    assert "\u0301" * 7 not in seen


def test_nobody_sees_a_page_without_a_session(house: Ground) -> None:
    client = house.client()
    for address in (*PAGES, *DEEP, "/diagnostics", "/helpdesks/fake", "/act/pause/channel:fake"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in"), address
    with client.get("/static/console.css") as sheet:
        assert sheet.status_code == 200
    assert client.get("/nothing").status_code == 404


def test_a_link_lets_one_browser_in_once_and_the_session_ends_everywhere(house: Ground) -> None:
    token = house.link(Role.AUDITOR)
    first, second = Visitor(house.client()), Visitor(house.client())
    assert first.client.get(f"/enter?token={token}").status_code == 200, "looking at the link does not use it up"
    assert [first.enter(token), second.enter(token)] == [303, 403]
    cookie = first.client.get_cookie("crossdesk")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    second.client.set_cookie("crossdesk", cookie.value)
    assert "Health" in second.look("/")
    assert first.send("/", to="/sign-out")[0] == 303
    assert second.client.get("/").status_code == 303
    assert house.one("SELECT count(*) FROM audit WHERE action LIKE 'console sign-%'") == 2


def test_the_receiver_serves_it_and_the_command_prints_a_link(house: Ground, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "crossdesk.toml")
    said = CliRunner().invoke(console, ["link", "--role", "supervisor"], obj=settings, catch_exceptions=False)
    settings.close()
    token = re.search(r"http://127\.0\.0\.1:8010/console/enter\?token=(\S+)", said.output)
    assert token is not None, said.output
    visitor = Visitor(create_app(house.bridge, Counter(), {PATH: create_console(house.bridge)}).test_client())
    assert visitor.client.get("/console/").headers["Location"] == "/console/sign-in"
    assert visitor.send(f"/console/enter?token={token[1]}", to="/console/enter")[0] == 303
    assert 'href="/console/static/console.css"' in visitor.look("/console/")
    assert visitor.client.get("/healthz").status_code == 200


def test_a_session_ends_when_nothing_was_asked_for_a_while(house: Ground) -> None:
    visitor = house.visitor(Role.ADMIN)
    house.one("UPDATE console_pass SET expires_at = now() - interval '1 second' RETURNING 1")
    assert visitor.client.get("/").status_code == 303


@pytest.mark.parametrize(("person", "role"), [(STAFF[0], "admin"), (STAFF[1], "supervisor")])
def test_staff_sign_in_with_the_helpdesk(house: Ground, person: object, role: str) -> None:
    staff = next(item for item in STAFF if item is person)
    visitor = Visitor(house.client())
    assert visitor.send("/sign-in", login=staff.login, password="wrong")[0] == 403
    assert visitor.client.get("/").status_code == 303
    assert visitor.send("/sign-in", login=staff.login, password=staff.password)[0] == 303
    page = visitor.look("/")
    assert staff.firstname in page
    assert f"<small>{role}</small>" in page


def test_customers_have_no_role_and_tries_are_counted(house: Ground) -> None:
    visitor = Visitor(house.client())
    status, page = visitor.send("/sign-in", login=STAFF[2].login, password=STAFF[2].password)
    assert (status, "nobody gave you a role" in page) == (403, True)
    answers = [visitor.send("/sign-in", login="ada@acme.example", password=f"guess {number}")[0] for number in range(6)]
    assert answers == [403] * 5 + [429]
    status, _ = visitor.send("/sign-in", login="ada@acme.example", password=STAFF[1].password)
    assert status == 429
    assert house.one("SELECT count(*) FROM audit WHERE action = 'console sign-in refused'") == 6


def test_each_act_asks_for_role_mark_and_reason_and_counts_once(house: Ground) -> None:
    people = {role: house.visitor(role) for role in Role}
    for name, act in ACTS.items():
        address = f"/act/{name}/{ {'channels': 'channel:fake', 'approvals_page': '1:1'}.get(act.back, '1') }"
        before = house.one("SELECT count(*) FROM audit")
        low = people[Role.AUDITOR if act.role is Role.SUPERVISOR else Role.SUPERVISOR]
        assert low.client.get(address).status_code == 403, name
        assert low.client.post(address, data={**hidden(low.look("/"), "/sign-out"), "reason": "because"}).status_code == 403, name
        visitor = people[act.role]
        assert visitor.client.post(address, data={"reason": "because", "once": "1"}).status_code == 403, name
        fields = {**hidden(visitor.look(address), address), "reason": "because"}
        stranger = visitor.client.post(address, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert stranger.status_code == 403, name
        if act.needs_reason:
            assert visitor.send(address, reason=" ")[0] == 400, name
        assert house.one("SELECT count(*) FROM audit") == before, name
        done = visitor.client.post(address, data=fields)
        wanted = 503 if name in {"register", "connect"} else 409 if act.back == "approvals_page" else 200
        assert done.status_code == wanted, done.get_data(as_text=True)
        again = visitor.client.post(address, data=fields)
        assert (again.status_code, "sent before" in again.get_data(as_text=True)) == (409, True), name


def test_what_is_set_aside_is_decided_with_a_reason_in_the_audit(house: Ground) -> None:
    visitor = house.visitor(Role.SUPERVISOR)
    intent = house.one("SELECT id FROM intent WHERE state = 'quarantined'")
    assert f"/act/mark-sent-intent/{intent}" in visitor.look("/held")
    status, page = visitor.send(f"/act/mark-sent-intent/{intent}", ref="their-7", reason="seen on the wall")
    assert (status, "counts as sent" in page) == (200, True)
    assert house.one("SELECT remote_ref FROM intent WHERE id = :id", id=intent) == "their-7"
    assert house.one("SELECT detail->>'reason' FROM audit ORDER BY id DESC LIMIT 1") == "seen on the wall"
    assert "their-7" in visitor.look(f"/ledger/{house.one('SELECT event_id FROM intent WHERE id = :id', id=intent)}")
    _, page = visitor.send(f"/act/drop-intent/{intent}", reason="again")
    assert "nothing was changed" in page


def test_a_place_is_paused_resumed_and_shown_red_with_its_button(house: Ground) -> None:
    admin = house.visitor(Role.ADMIN)
    assert admin.send("/act/pause/channel:fake", reason="holiday")[0] == 200
    assert "holiday" in admin.look("/channels")
    house.one("UPDATE place SET status = 'reauth', status_text = 'The token was revoked.' WHERE key = 'channel:fake' RETURNING 1")
    page = admin.look("/")
    assert "standing fail" in page
    assert "The token was revoked." in page
    assert "/act/resume/channel:fake" in page
    assert admin.send("/act/resume/channel:fake", reason="new token")[0] == 200
    assert house.one("SELECT status FROM place WHERE key = 'channel:fake'") == "active"
    assert admin.client.get("/act/pause/channel:gone").status_code == 200
    assert admin.send("/act/pause/channel:gone", reason="x")[0] == 404


def test_a_channel_shows_its_address_and_no_secret_but_its_last_four(house: Ground) -> None:
    page = house.visitor(Role.AUDITOR).look("/channels/channel:fake")
    assert 'value="http://127.0.0.1:8010/in/channel/fake"' in page
    assert "•••• 9876" in page
    house.one("UPDATE place SET heard_at = NULL RETURNING 1")
    assert "Events came, none of them by webhook" in house.visitor(Role.ADMIN).look("/channels/channel:fake")


def test_the_ledger_is_searched_by_id_handle_ticket_and_reason(house: Ground) -> None:
    visitor = house.visitor(Role.AUDITOR)
    for words in ("1", "maria", "@Maria", "4711", "rejected", "{{7*7}}"):
        assert re.search(r'href="/ledger/\d+"', visitor.look(f"/ledger?q={words}")), words
    assert "Nothing is known" in visitor.look("/ledger?q=%25_nobody")
    assert visitor.client.get("/ledger/99999").status_code == 404
    assert visitor.client.get("/ledger/99999999999999999999999").status_code == 404
    assert visitor.client.get("/conversations/99999999999999999999999").status_code == 404


def test_another_policy_is_tried_on_past_traffic(house: Ground) -> None:
    visitor = house.visitor(Role.SUPERVISOR)
    assert "complaint" in visitor.look("/policy")
    draft = '[[policy.crossover]]\nname = "parcels"\nwhen = "keyword"\nany_of = ["parcel", "script"]\n'
    status, page = visitor.send("/policy", to="/policy/backtest", policy=draft, days="7")
    assert (status, "part 2 times" in page, "Where is my parcel?" in page) == (200, True, True)
    assert HOSTILE.partition(" {{")[0] in inert(page, "a back-test")
    status, page = visitor.send("/policy", to="/policy/backtest", policy="[policy]\nnonsense = 1")
    assert (status, "nonsense" in page) == (400, True)
    assert visitor.client.get("/policy/explain?conversation=1").headers["Location"] == "/conversations/1"
    auditor = house.visitor(Role.AUDITOR)
    assert auditor.client.post("/policy/backtest", data={**hidden(auditor.look("/"), "/sign-out"), "policy": draft}).status_code == 403


def test_a_helpdesk_is_set_up_only_after_its_plan_was_shown(house: Ground) -> None:
    admin = house.visitor(Role.ADMIN)
    status, page = admin.send("/helpdesks/fake", to="/helpdesks/fake/plan", token="mia-token")
    assert (status, "nothing was changed" in page) == (200, True)
    fields = hidden(page, "/helpdesks/fake/apply")
    changed = admin.client.post("/helpdesks/fake/apply", data={**fields, "plan": "another", "token": "mia-token"}).get_data(as_text=True)
    assert "has changed since this plan was shown" in changed
    fields = hidden(changed, "/helpdesks/fake/apply")
    done = admin.client.post("/helpdesks/fake/apply", data={**fields, "token": "mia-token"}).get_data(as_text=True)
    assert "What was done" in done
    assert "made" in done
    assert house.visitor(Role.SUPERVISOR).client.get("/helpdesks/fake").status_code == 403
    assert house.one("SELECT count(*) FROM audit WHERE action = 'helpdesk apply' AND detail::text LIKE '%mia-token%'") == 0
    assert house.one("SELECT count(*) FROM audit WHERE action = 'helpdesk apply'") == 1


def test_diagnostics_hold_no_secret_no_handle_and_no_words(house: Ground) -> None:
    status, body = house.visitor(Role.ADMIN).send("/diagnostics")
    assert status == 200
    found = json.loads(body)
    assert found["ledger"]["ok"] in {True, False}
    assert found["settings"]["channels"]["fake"]["token"] == "(hidden)"
    for word in (SECRET, "bridge-token-0001", "webhook-token-of-the-desk", "maria", "parcel", "On its way"):
        assert word not in body, word
    assert house.visitor(Role.SUPERVISOR).client.get("/diagnostics").status_code == 403
