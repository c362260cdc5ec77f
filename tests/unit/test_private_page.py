"""The private page: who holds the public link reads nothing, who proves to be the customer goes on in the same ticket."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from plugin.contracts.capabilities import Level
from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import MalformedPayload, SignatureInvalid
from plugin.domain.model import Visibility
from plugin.handlers import continuing
from plugin.platforms._page import tokens
from plugin.platforms._page.adapter import PageAdapter
from plugin.policy import starters
from plugin.policy.contract import Contract
from plugin.store import pages
from plugin.testing.fake_platform import CAPABILITIES, FakePlatform
from tests.engine import PAGE, Engine
from tests.panels import bridge_of
from tests.unit.test_crossing import started
from webhooks import page_files
from webhooks.page import add_page
from webhooks.page_words import words

KEYS = ("newest-key-of-the-installation", "the-key-before")
PUBLIC_ONLY = replace(CAPABILITIES, replies_private=Level.REJECTED, visibilities=(Visibility.PUBLIC,))
_PNG = b"\x89PNG\r\n\x1a\n and a picture"
_ADDRESS = re.compile(r"https://desk\.example(/go/[\w-]+)")
_WORD = re.compile(r'class="word" translate="no">([a-z-]+)<')


class Site:
    """A conversation that became formal where nobody can write in private, and the pages of its ticket."""

    def __init__(self, url: str) -> None:
        contract = Contract(page_open_for=timedelta(days=30))
        page = PageAdapter(KEYS, base="https://desk.example", kept=lambda digest: pages.body_of(self.engine.database, digest))
        self.engine: Engine = started(url, contract=contract, network=FakePlatform(capabilities=PUBLIC_ONLY), page=page)
        self.app = Flask("page")
        add_page(self.app, replace(bridge_of(self.engine), keys=KEYS), self.engine.receiver)
        self.post("My invoice is wrong")
        (told,) = self.engine.delivered()
        found = _ADDRESS.search(told)
        assert found is not None, told
        self.path = found.group(1)

    def post(self, words: str, who: str = "maria") -> None:
        """Somebody says something in the public thread."""
        self.engine.tell(self.engine.network.say(who, words, thread="public:maria"))
        self.engine.settle()

    def visitor(self) -> Visitor:
        """Another browser."""
        return Visitor(self)


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client: FlaskClient = site.app.test_client()
        self.last = ""

    def look(self, query: str = "") -> str:
        """The page as it is."""
        return self.client.get(self.site.path + query, base_url="https://desk.example").get_data(as_text=True)

    def start(self) -> str:
        """Begin; the word that is shown."""
        answer = self.client.post(self.site.path, data={"act": "start"}, base_url="https://desk.example")
        assert answer.status_code == 303
        found = _WORD.search(self.look())
        return found.group(1) if found else ""

    def fields(self) -> dict[str, str]:
        """What a form must bring that this browser was shown."""
        return dict(re.findall(r'name="(nonce|seal)" value="(\w+)"', self.look()))

    def send(self, words: str, *files: tuple[str, bytes]) -> int:
        """Send something with files; the answer's status. What came back is `last`."""
        data = {"words": words, **self.fields(), "files": [FileStorage(BytesIO(content), filename=name) for name, content in files]}
        boundary, body = encode_multipart(data)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = self.client.post(self.site.path, data=body, base_url="https://desk.example", content_type=kind)
        self.last = html.unescape(answer.get_data(as_text=True))
        self.site.engine.settle()
        return answer.status_code

    def write(self, words: str, **changed: str) -> int:
        """Send something; the answer's status."""
        fields = self.fields()
        answer = self.client.post(self.site.path, data={"words": words, **fields, **changed}, base_url="https://desk.example")
        self.site.engine.settle()
        return answer.status_code


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    site = Site(database_url)
    yield site
    site.engine.close()


def test_the_customer_proves_it_in_the_thread_and_goes_on_in_the_same_ticket(site: Site) -> None:
    engine, maria = site.engine, site.visitor()
    word = maria.start()
    assert "You are connected" not in maria.look()
    site.post(f"@acme {word}")
    assert "You are connected" in maria.look()
    assert maria.write("My number is 4711") == 303
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Thank you, it is corrected."))
    engine.settle()
    assert len(engine.helpdesk.tickets) == 1
    assert any("My number is 4711" in words for words in engine.articles())
    assert "Thank you, it is corrected." in maria.look()
    assert not any("corrected" in words for words in engine.delivered()), "nothing of it was posted"
    assert any("The customer goes on by the private page" in note for note in engine.notes())
    assert engine.rows("SELECT continued_by FROM conversation ORDER BY id")[0].continued_by == 2
    rows = engine.rows("SELECT unanswered_since FROM conversation ORDER BY id")
    assert [row.unanswered_since for row in rows] == [None, None], "nobody waits any more, there or here"
    assert engine.balance().is_ok


def test_who_finds_the_public_link_reads_nothing_and_is_taken_for_a_stranger(site: Site) -> None:
    engine, maria, mallory = site.engine, site.visitor(), site.visitor()
    theirs, hers = mallory.start(), maria.start()
    assert theirs != hers
    site.post(hers)
    maria.write("My number is 4711")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Secret answer"))
    engine.settle()
    site.post(theirs, who="mallory")
    assert mallory.write("It is me, maria, send the money to DE89") == 303
    seen = mallory.look()
    for secret in ("4711", "Secret answer", engine.helpdesk.tickets[0].number, "maria"):
        assert secret not in seen.replace("It is me, maria", "")
    (filed,) = [words for words in engine.articles() if "send the money" in words]
    assert "has not proved to be the customer" in filed
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "For maria alone"))
    engine.settle()
    assert "For maria alone" in maria.look()
    assert "For maria alone" not in mallory.look()
    assert len(engine.helpdesk.tickets) == 1


def test_what_was_written_before_the_proof_is_theirs_after_it(site: Site) -> None:
    engine, maria = site.engine, site.visitor()
    word = maria.start()
    maria.write("I write before I prove it")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Too early"))
    engine.settle()
    assert "Too early" not in maria.look()
    site.post(word.upper().replace("-", " "))
    assert "You are connected" in maria.look()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Now I know you"))
    engine.settle()
    assert "Now I know you" in maria.look()
    assert [row.stage for row in engine.rows("SELECT stage FROM conversation WHERE continued_by IS NULL")] == ["handoff"]


def test_after_the_end_the_page_says_so_and_writing_opens_it_again(site: Site) -> None:
    engine, maria = site.engine, site.visitor()
    site.post(maria.start())
    maria.write("Hello")
    engine.press("close", role="supervisor", reason="Done by phone.")
    engine.settle()
    assert "This ticket is solved" in maria.look()
    maria.write("It is wrong again")
    assert "This ticket is solved" not in maria.look()


def test_a_pass_is_taken_back(site: Site) -> None:
    engine, maria = site.engine, site.visitor()
    site.post(maria.start())
    maria.write("Hello")
    assert continuing.close(engine.database, 1, actor="sue", reason="It was not her.") == 1
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Not for the page"))
    engine.settle()
    assert "Hello" not in maria.look()
    assert engine.rows("SELECT continued_by FROM conversation ORDER BY id")[0].continued_by is None
    assert any("Not for the page" in article for article in engine.articles())


def test_a_form_counts_once_and_only_from_its_own_browser(site: Site) -> None:
    maria, mallory = site.visitor(), site.visitor()
    maria.start()
    mallory.start()
    page = maria.look()
    fields = dict(re.findall(r'name="(nonce|seal)" value="(\w+)"', page))
    assert mallory.write("forged", **fields) == 422
    for _ in range(2):
        assert maria.write("once", **fields) == 303
    assert sum("once" in words for words in site.engine.articles()) == 1
    assert maria.write("x" * 4001) == 422
    assert maria.write("   ") == 422
    assert "4,001 of 4,000" in maria.client.post(site.path, data={"words": "x" * 4001, **fields}, base_url="https://desk.example").get_data(
        as_text=True
    )


def _proved(site: Site) -> Visitor:
    maria = site.visitor()
    site.post(maria.start())
    return maria


def _carried(site: Site) -> dict[str, bytes]:
    """The files in the ticket."""
    return {file.filename: file.content for article in site.engine.helpdesk.tickets[0].articles for file in article.files}


def test_a_proved_customer_sends_pictures_that_stand_in_the_ticket(site: Site) -> None:
    maria = _proved(site)
    assert 'type="file"' in maria.look()
    assert maria.send("See the crack", ("crack.PNG.exe", _PNG), ("../../etc/bill", b"%PDF-1.7 bill")) == 303
    assert _carried(site) == {"crack.PNG.png": _PNG, "bill.pdf": b"%PDF-1.7 bill"}
    assert "Sent with it: crack.PNG.png (1 kB), bill.pdf (1 kB)" in maria.look()
    assert maria.send("", ("alone.jpg", b"\xff\xd8\xff alone")) == 303
    assert _carried(site)["alone.jpg"] == b"\xff\xd8\xff alone"
    assert site.engine.balance().is_ok


def test_what_may_not_be_sent_is_told_clearly_and_nothing_is_kept(site: Site) -> None:
    maria = _proved(site)
    refused = {
        "cannot be sent here: only pictures": [("page.png", b"<svg onload=alert(1)>")],
        "is larger than 8 MB": [("big.jpg", b"\xff\xd8\xff" + b"x" * page_files.FILE_BYTES)],
        "3 at a time": [(f"{number}.png", _PNG) for number in range(4)],
        "12 MB together": [(f"{number}.jpg", b"\xff\xd8\xff" + b"x" * 6_100_000) for number in range(2)],
    }
    for sentence, files in refused.items():
        status = maria.send("With words that I typed", *files)
        assert sentence in maria.last
        assert "Nothing was sent" in maria.last
        assert status == 413 or (status == 422 and "With words that I typed</textarea>" in maria.last), "what was typed is not lost"
    assert not any("words that I typed" in article for article in site.engine.articles())
    assert len(site.engine.rows("SELECT 1 FROM receipt WHERE place = :place", place=PAGE)) == 0


def test_the_files_of_a_day_are_counted(site: Site) -> None:
    maria = _proved(site)
    maria.write("Hello")
    site.engine.rows(
        "UPDATE inbound_event SET payload = payload || CAST(:sent AS jsonb) WHERE place = :place RETURNING id",
        place=PAGE,
        sent=json.dumps({"attachments": [{"media_ref": "x/0", "filename": "x", "size": page_files.DAY_BYTES}]}),
    )
    assert maria.send("One more", ("a.png", _PNG)) == 422
    assert "60 MB can be sent in a day" in maria.last
    assert maria.send("Without it") == 303


def test_a_stranger_cannot_send_files(site: Site) -> None:
    mallory = site.visitor()
    mallory.start()
    assert 'type="file"' not in mallory.look()
    assert mallory.send("Look at this", ("a.png", _PNG)) == 303
    assert _carried(site) == {}
    assert mallory.send("x" * 300_000) == 413
    assert "Files can be sent once you have shown" in mallory.last


def test_a_file_whose_delivery_is_gone_is_named_in_the_ticket(site: Site) -> None:
    maria = _proved(site)
    fields = maria.fields()
    maria.client.post(site.path, data={"words": "Here", **fields, "files": [(BytesIO(_PNG), "a.png")]}, base_url="https://desk.example")
    site.engine.splitter.split_due()
    site.engine.rows("UPDATE receipt SET body = '' WHERE place = :place RETURNING id", place=PAGE)
    site.engine.settle()
    assert any("not kept any more" in article for article in site.engine.articles())


def test_a_form_with_files_counts_once(site: Site) -> None:
    maria = _proved(site)
    fields = maria.fields()
    for _ in range(2):
        data = {"words": "Twice", **fields, "files": [(BytesIO(_PNG), "a.png")]}
        assert maria.client.post(site.path, data=data, base_url="https://desk.example").status_code == 303
        site.engine.settle()
    assert len(site.engine.rows("SELECT 1 FROM receipt WHERE place = :place", place=PAGE)) == 1


def test_the_question_whether_it_is_solved_is_answered_by_a_press(site: Site) -> None:
    engine, maria = site.engine, _proved(site)
    maria.write("Hello")
    assert 'class="answers"' not in maria.look()
    engine.press("confirm")
    engine.press("confirm")
    engine.settle()
    lead = 2
    assert engine.stage(lead) == "confirming"
    page = maria.look()
    assert '<button name="words" value="Yes">Yes</button><button name="words" value="No">No</button>' in page
    asked = page.partition('class="answers"')[0].rpartition("<form")[2]
    fields = dict(re.findall(r'name="(nonce|seal)" value="(\w+)"', asked))
    assert maria.client.post(site.path, data={"words": "Yes", **fields}, base_url="https://desk.example").status_code == 303
    engine.settle()
    assert engine.stage(lead) == "resolved"
    assert engine.rows("SELECT crossover->>'outcome' AS outcome FROM conversation WHERE id = :id", id=lead)[0].outcome == "confirmed"
    page = maria.look()
    assert page.count('class="answers"') == 1, "the score is asked for next, and the first question is over"
    assert '<button name="words" value="5">5</button>' in page


def test_the_page_is_plain_closed_and_kept_by_nobody(site: Site) -> None:
    answer = site.visitor().client.get(site.path)
    headers, page = answer.headers, answer.get_data(as_text=True)
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page
    assert '<html lang="en">' in page
    assert "maria" not in page
    for path in ("/go/nonsense", site.path[:-2] + "xx", "/go/" + tokens.make(KEYS, 1, expires=datetime(2020, 1, 1, tzinfo=UTC))):
        gone = site.visitor().client.get(path)
        assert gone.status_code == 404


def test_what_was_written_stays_text(site: Site) -> None:
    maria = site.visitor()
    site.post(maria.start())
    maria.write("<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) \u202egnp.elif " + "a" + "\u0301" * 200)
    page = maria.look()
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"<(script|img|a) ?[^>]*(onerror|javascript|>alert)", page)


def test_germans_read_german(site: Site) -> None:
    site.engine.rows('UPDATE conversation SET crossover = crossover || \'{"language": "de"}\' RETURNING id')
    assert "Privat weiterschreiben" in site.visitor().look()


def test_only_the_page_itself_delivers(site: Site) -> None:
    adapter = site.engine.installation.channels[PAGE].adapter
    with pytest.raises(SignatureInvalid):
        adapter.verify(WebhookRequest(method="POST", path="", headers={"x-crossdesk-page": "0" * 64}, query={}, body=b"{}"))


@given(st.binary(max_size=80) | st.just(b'{"conversation": 1, "visit": "x", "words": 3}'))
def test_rubbish_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        PageAdapter(KEYS, base="", kept=lambda _: None).parse(WebhookRequest(method="POST", path="", headers={}, query={}, body=body))


@given(st.text(max_size=60))
def test_no_token_is_guessed(token: str) -> None:
    assert tokens.read(KEYS, token, now=datetime(2026, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize("name", starters.NAMES)
def test_the_starters_have_the_page_where_it_is_needed(name: str) -> None:
    assert 'private_page = "needed"' in starters.text(name)


def test_old_keys_still_count() -> None:
    expires = datetime(2026, 2, 1, tzinfo=UTC)
    token = tokens.make(KEYS[1:], 7, expires=expires)
    assert tokens.read(KEYS, token, now=expires - timedelta(days=1)) == 7
    assert tokens.read(KEYS, token, now=expires) is None
    assert tokens.read(KEYS[:1], token, now=expires - timedelta(days=1)) is None


def test_every_language_says_everything() -> None:
    english, german = words("en"), words("de")
    assert english.keys() == german.keys()
    for key, told in english.items():
        assert set(re.findall(r"\{\w+\}", told)) == set(re.findall(r"\{\w+\}", german[key])), key
