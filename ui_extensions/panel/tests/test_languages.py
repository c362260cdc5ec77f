"""The server's sentences in the panel's language: whatever it can say has words there, and what others wrote stays as they wrote it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from plugin.contracts.capabilities import Level
from plugin.contracts.registry import walk
from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact, Stage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.handlers.installation import PolicyAtWork
from plugin.policy import approvals, gate, rules
from plugin.policy.approvals import Candidate
from plugin.policy.contract import State
from plugin.policy.gate import OutboundFacts
from plugin.policy.locks import Agent as Author
from plugin.policy.locks import Lock
from plugin.policy.safety import links, preflight, thread_guard
from plugin.policy.safety.preflight import House
from plugin.policy.safety.thread_guard import OurSide
from plugin.testing.fake_platform import CAPABILITIES
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine
from tests.panels import ADA, BEN, SUE, Desk
from ui_extensions.panel import buttons
from ui_extensions.panel.buttons import Case
from ui_extensions.panel.languages import LANGUAGES, PSEUDO, language, pseudo, sentences

MARKED, GERMAN = language(PSEUDO), language("de-AT")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAYING = (
    "ui_extensions.panel.answers",
    "ui_extensions.panel.buttons",
    "ui_extensions.panel.entering",
    "ui_extensions.panel.presses",
    "ui_extensions.panel.routes",
    "ui_extensions.panel.signing",
    "plugin.handlers.choice",
    "plugin.handlers.commands",
    "plugin.handlers.pressing",
    "plugin.handlers.protecting",
    "plugin.policy.approvals",
    "plugin.policy.gate",
    "plugin.policy.locks",
    "plugin.policy.loop_brake",
    "plugin.policy.presses",
    "plugin.policy.safety.findings",
    "plugin.policy.safety.lessons",
    "plugin.policy.safety.links",
    "plugin.policy.safety.preflight",
    "plugin.policy.safety.thread_guard",
)
"""Modules whose sentences reach the panel; the conditions of rules come besides."""
PARTS = frozenset({"buttons", "findings", "links", "preflight", "ui_extensions.panel.presses", "thread_guard"})
"""Of those, the ones with parts of sentences and labels in them."""
ELSEWHERE = (
    " Replies are held until a supervisor presses",
    "Xy sends reply Xy again.",
    "Xy asks for approval: ",
    "Whether this reply reached the customer is not known: ",
    "On Xy this will be posted",
    "names no ",
)
"""What those modules write into the ticket instead, or tell whoever writes a policy."""
ASSEMBLED = (
    "Reply Xy by Xy waits for a second person",
    "reply Xy does not",
    "name the reply.",
    " These wait: ",
    "Xy. Your reply is kept here and leaves by itself",
    " If they do not until",
    "This platform takes no Xy replies",
    "looks like {imitates}",
    " (shown as ",
)
"""What is put together of parts, and so played below instead of read."""


def unsaid(words: str) -> set[str]:
    """What was left in English in a sentence of the marked language: each of its vowels is marked there."""
    return {word for word in re.findall("(?:[^\\W\\d_]|\u0308){3,}", words) if re.search("[aeiou]", word) and "\u0308" not in word}


def written(module: ModuleType) -> Iterator[str]:
    """The module's sentences as its source has them, with `Xy` in their places."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    quiet: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_pattern = isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "re.compile",
            "setting",
            "render_template",
            "made.add_url_rule",
        }
        if is_pattern or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            quiet |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node in quiet:
            continue
        if isinstance(node, ast.JoinedStr):
            quiet |= set(ast.walk(node)) - {node}
            yield from _variants(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _variants(node: ast.JoinedStr) -> list[str]:
    made = [""]
    for part in node.values:
        if isinstance(part, ast.Constant):
            choices = [str(part.value)]
        elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp) and isinstance(part.value.body, ast.Constant):
            choices = [str(ast.literal_eval(one)) for one in (part.value.body, part.value.orelse) if isinstance(one, ast.Constant)]
        else:
            choices = ["“Xy”" if isinstance(part, ast.FormattedValue) and ast.unparse(part.value).startswith("_quoted(") else "Xy"]
        made = [before + one for before in made for one in choices]
    # A place before a new sentence holds a sentence.
    return [re.sub(r"\bXy (?=[A-Z][a-z]+ (?!was first))", "Xy. ", one) if not one.startswith("Reply") else one for one in made]


def is_said(words: str, module: ModuleType) -> bool:
    """Whether people read it: a sentence, or in some modules a part of one; no pattern, path or line of code."""
    has_parts = bool(PARTS & {module.__name__, module.__name__.rpartition(".")[2]})
    is_prose = (
        bool(re.search(r"[a-z]{3}", words.replace("Xy", "")))
        and " " in words.strip(" ")
        and not re.search(r"[\\=<>\[\]?]|\n|[a-z]/", words)
    )
    return is_prose and (has_parts or words.rstrip().endswith((".", "!", ":")))


def test_what_the_source_says_has_words_in_every_language() -> None:
    modules = [importlib.import_module(name) for name in SAYING]
    modules += [importlib.import_module(f"{rules.__name__}.{path.stem}") for path in Path(str(rules.__file__)).parent.glob("[a-z]*.py")]
    said = {one for module in modules for one in written(module) if is_said(one, module)}
    assert len(said) > 200
    missing = [one for one in sorted(said) if not one.startswith((*ELSEWHERE, *ASSEMBLED)) and unsaid(MARKED.say(one)) - {"Xy"}]
    assert missing == []
    for start in (*ELSEWHERE, *ASSEMBLED):
        assert any(one.startswith(start) for one in said), f"nothing begins with {start!r} any more"


def test_every_language_has_all_sentences_with_their_places() -> None:
    english = sentences(LANGUAGES[0]).keys()
    for name in LANGUAGES:
        found = sentences(name)
        assert found.keys() == english
        for key, words in found.items():
            assert words.strip(), key
            assert set(re.findall(r"\{\w+\}", words)) <= set(re.findall(r"\{\w+\}", key)), key


def cases() -> Iterator[Case]:
    """Conversations in every stage, each with everything that changes its buttons by itself."""
    ben = Author(ref="ben", name="Ben Berg")
    candidate = Candidate(number=7, author=ben, rule="trainees", reason="", approvers="Leads", within=60.0)
    mine = replace(candidate, author=buttons.author(ADA))
    locks = (
        Lock(),
        Lock(holder=ben, fence=1, until=NOW + timedelta(minutes=5)),
        Lock(holder=buttons.author(ADA), fence=1, until=NOW + timedelta(minutes=5)),
    )
    for stage, lock in product(Stage, locks):
        plain = Case(state=State(stage=stage), held_replies=0, group="Social", now=NOW, lock=lock)
        yield plain
        for changed in ({"is_monitored": True}, {"wants_approval": True}, {"offered": "invoices"}, {"broken": "invoices"}):
            yield replace(plain, state=State(stage=stage, **changed))
        for flag in ("is_closed", "is_scam", "has_impostor", "has_failed", "is_private", "can_go_private"):
            yield replace(plain, **{flag: True})  # type: ignore[arg-type]
        yield replace(plain, held_replies=1)
        for waiting in (candidate, mine):
            yield replace(plain, candidates=(waiting,), waiting={7: waiting.author})


def test_no_button_of_any_conversation_is_in_english() -> None:
    policy, refusals = PolicyAtWork(judge=TableJudge()), set[str]()
    for case, agent in product(cases(), (ADA, BEN, SUE)):
        for button in buttons.all_of(policy, case, agent):
            assert not unsaid(MARKED.say(button["label"])), button["label"]
            assert GERMAN.say(button["label"]) != button["label"]
            refusals.add(button["why_not"])
    missing = [one for one in sorted(refusals) if unsaid(MARKED.say(one)) - {"Ben", "Berg", "Ada", "Agent", "Leads"}]
    assert missing == []
    assert len(refusals) > 15
    assert all(GERMAN.say(one)[:1].isupper() for one in refusals if one)


WORDS = (
    "Your card 4111 1111 1111 1111 and max@example.com and +49 170 1234567",
    "Order 12, iban DE89 3704 0044 0532 0130 00, password: Hunter22!, PIN 4711",
    "see https://desk.acme.example/1 @@dana [intern] nicht senden https://bit.ly/abc",
    "Sure.\n\nVon: Max\nGesendet: Montag",
    "Done.\n\nMit freundlichen Grüßen\nDana Miller\nAcme GmbH\n",
    "http://xn--pypal-4ve.com http://192.168.1.7/x http://acme.com@evil.example/",
    "x" * 900,
)


def test_no_concern_of_a_preflight_is_in_english() -> None:
    house, seen = House(helpdesk_hosts=("desk.acme.example",)), set[str]()
    texts = [*map(Text, WORDS), Text("Do it now", (Mark(0, 2, MarkKind.BOLD), Mark(3, 5, MarkKind.ITALIC), Mark(6, 9, MarkKind.CODE)))]
    for text, visibility in product(texts, Visibility):
        assert not unsaid(MARKED.say(preflight.audience(visibility)))
        for concern in preflight.check(text, visibility=visibility, capabilities=CAPABILITIES, house=house):
            seen.add(concern.code.partition(":")[0])
            values = set(re.findall(r"\w+", text.plain)) | {
                "intern",
                "com",
                "evil",
                "acme",
                "example",
                "pypal",
                "paypal",
                "pаypal",
                "bit",
            }
            assert not {word for word in unsaid(MARKED.say(concern.sentence)) if word not in values}, concern.sentence
    assert seen >= {
        "personal_data",
        "internal_link",
        "agent_mention",
        "internal_words",
        "quoted_mail",
        "signature",
        "doubtful_link",
        "length",
    }


def test_no_label_of_a_bystander_is_in_english() -> None:
    ours = OurSide(handles=("acme",), names=("Acme",), agents=("Dana Miller",), helper_handles=("friend",))
    people = [
        Contact(
            ref=ContactRef("1"), handle="acme_support", display_name="Acme Support 24", followers=2, created_at=NOW - timedelta(days=3)
        ),
        Contact(ref=ContactRef("2"), handle="acmee@elsewhere.example", display_name="Dana Miller", is_verified=True),
        Contact(ref=ContactRef("3"), handle="аcme", display_name="A\u200bcme", created_at=NOW - timedelta(days=900)),
        Contact(ref=ContactRef("4"), handle="friend"),
        Contact(ref=ContactRef("5"), handle="nobody"),
    ]
    names = {"acme", "Acme", "support", "Support", "acmee", "elsewhere", "example", "Dana", "Miller", "bit", "abc", "cme", "аcme"}
    for person, words in product(
        people, ("I am support, send me your password and pay by paypal https://bit.ly/abc", "Try to restart it", "hm")
    ):
        found = thread_guard.judge(person, Text(words), ours=ours, now=NOW)
        left = unsaid(MARKED.say(thread_guard.sentence(found))) - names - set(words.split())
        assert not {word for word in left if word not in words}, thread_guard.sentence(found)
    for link in links.find(Text(WORDS[5])):
        assert not unsaid(MARKED.say(links.sentence(link))) - {"pypal", "paypal", "pаypal", "com", "evil", "example", "acme"}


def test_no_reason_for_holding_a_reply_is_in_english() -> None:
    waits = Candidate(number=7, author=Author(name="Ben"), rule="trainees", reason="An agent asked for it.", approvers="Leads", within=60.0)
    held = [approvals.why_held(one) for one in (waits, replace(waits, reason=""), replace(waits, deadline=NOW))]
    held += [approvals.press((waits,), "approve", Author(name="Ada"), role="agent", groups=(), reason="", number=9).refused]
    shut = replace(CAPABILITIES, limits=replace(CAPABILITIES.limits, reply_window=60.0))
    facts = OutboundFacts(
        stage=Stage.SOCIAL,
        visibility=Visibility.PUBLIC,
        is_reachable=True,
        hold_reason="",
        hold_text="",
        capabilities=shut,
        now=NOW,
        last_inbound_at=NOW - timedelta(days=1),
        file_count=0,
    )
    silent = replace(CAPABILITIES, replies_public=Level.REJECTED, replies_private=Level.REJECTED)
    mute = [replace(facts, capabilities=silent, visibility=visibility) for visibility in Visibility]
    for one in (facts, replace(facts, withdrawn_at=NOW), replace(facts, is_notice=True), *mute):
        answer = gate.ask(one)
        assert isinstance(answer, gate.Held | gate.Refused)
        held.append(answer.text)
    for sentence in held:
        assert not unsaid(MARKED.say(sentence)) - {"Ben", "trainees", "Leads"}, sentence
    assert "Grund: Ein Agent hat es gewünscht" in GERMAN.say(held[0])


@pytest.mark.parametrize("platform", walk("plugin.platforms", "PLATFORM").values(), ids=lambda platform: platform.name)
def test_what_every_platform_says_of_itself_has_words(platform: object) -> None:
    can = platform.capabilities  # type: ignore[attr-defined]
    rulers = [can.limits_of(visibility).ruler for visibility in Visibility]
    for words in (can.may_answer, can.link_cost, *(ruler.unit for ruler in rulers if ruler is not None)):
        assert not unsaid(MARKED.say(words)) - {"USD"}, words


def test_what_others_wrote_stays() -> None:
    for words in (
        "They asked for it",
        "It was closed. Nothing more to say.",
        "Only a supervisor",
        "The platform says: too long by 37.",
        "",
        "characters and more",
    ):
        assert GERMAN.say_whole(words) == words
    assert GERMAN.say("Ben {name} has just pressed this. It is being done; your press was not added.").startswith("Ben {name} hat")
    assert language("fr").say("Take over") == "Take over"
    assert language("\u0000") is language("en")
    assert pseudo("a {name}") == "⟦a\u0308a {name}⟧"


# On the real panel


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    engine = Engine(database_url, policy=PolicyAtWork(judge=TableJudge()))
    yield Desk(engine)
    engine.close()


def test_the_panel_answers_in_its_language_and_a_revision_is_the_same_in_all(desk: Desk) -> None:
    desk.engine.tell(desk.engine.network.say("maria", "My kettle hums"))
    desk.engine.settle()
    path = desk.path()
    for _ in range(2):  # Every half minute there is a new revision: the second round is not right there, too.
        english, german = (desk.ask(f"{path}?lang={name}").get_json() for name in ("en", "de"))
        same = desk.ask(f"{path}?lang=de&since={english['rev']}").status_code
        if same == 204:
            break
    assert same == 204
    off = {item["id"]: (item["label"], item["why_not"]) for item in german["actions"]}
    assert off["undo"] == ("Übergabe zurücknehmen", "Das ist kein förmliches Ticket.")
    assert "förmliches Ticket" in off["handoff"][0]
    assert (german["messages"], german["person"], german["limits"]["unit"]) == (english["messages"], english["person"], "Zeichen")
    refused = desk.ask(f"{path}/actions/undo?lang=de", body={"key": "k" * 20, "reason": "x"})
    assert refused.get_json()["error"]["text"] == "Das ist kein förmliches Ticket. Es wurde nichts getan."
    assert refused.get_json()["error"]["snapshot"]["actions"] == german["actions"]
    asked = desk.ask(f"{path}/actions/confirmed?lang=de", body={"key": "k" * 20, "reason": "x"}).get_json()["error"]["text"]
    assert "drücken Sie erst „Den Kunden um Bestätigung bitten“" in asked
    assert desk.ask(f"{path}/actions/undo?lang=de", body={}).get_json()["error"]["text"].endswith("Es wurde nichts getan.")
    told = desk.ask(f"{path}/preflight?lang=de", body={"text": "Your card 4111 1111 1111 1111"}).get_json()
    assert "eine Kartennummer" in told["concerns"][0]["sentence"]
    assert told["audience"].startswith("Diese Antwort kann jeder lesen")
    assert "unterschrieben" in desk.client.get(f"{path}?lang=de").get_json()["error"]["text"]
    page = desk.client.get("/panel/-/page", headers={"Accept-Language": "de-DE,de;q=0.9"})
    assert 'lang="de"' in page.get_data(as_text=True)
    assert "Diese Seite braucht JavaScript." in page.get_data(as_text=True)
