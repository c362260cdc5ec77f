"""Proof that two chats are one person's: one-time words, each told in one chat and said in the other. Never inferred, recorded, and undone on demand.

An agent asks for it (`crossdesk person prove`, or an internal note `/same-person TICKET`), or the customer does, in a private message. The rules are
`plugin.policy.safety.proofs`'; only private messages of the chat's own customer are heard.
"""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Any

from sqlalchemy import Connection, Row

from plugin.domain.codec import decode
from plugin.domain.errors import ConfigError
from plugin.domain.events import ActionTaken, ArticleAdded, MessageReceived
from plugin.domain.ids import Place
from plugin.domain.model import Contact, Lane, Origin, Visibility
from plugin.handlers import crossing, wording
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy.safety import proofs
from plugin.policy.safety.proofs import Side, Step
from plugin.policy.saying import moment
from plugin.policy.texts import Saying
from plugin.store import intake, ledger, panels, persons
from plugin.store.database import Database, now
from plugin.store.decisions import NewDecision
from plugin.store.intake import Arrival

WORD, JOINED, SPLIT = "proof_word", "person_joined", "person_split"
_A_DAY = 5
_COMMAND = re.compile(r"\A\s*/same-person\s+#?(\S{1,60})\s*\Z", re.IGNORECASE)
_WISH = re.compile(
    r"\A\W*(?:(?:please|bitte)\s+)?(?:(?:link|join|connect)\s+(?:my\s+)?accounts|(?:meine\s+)?konten\s+verbinden|verbinde(?:n sie)?\s+meine\s+konten)"
    r"(?:[\s,]+(?:please|bitte))?\W*\Z",
    re.IGNORECASE,
)


# From outside of a turn


def ask(database: Database, policy: PolicyAtWork | None, first: int, second: int, *, actor: str, reason: str = "") -> int:
    """Tell each of two chats a word to be said in the other. Returns the proof's id.

    Raises:
        ConfigError: there is no policy, no such chat, or it may not be begun now; nothing was done.
    """
    if policy is None:
        raise ConfigError("One-time words are a part of the policy, and crossdesk.toml has none. `crossdesk policy new` writes one.")
    with database.begin() as connection:
        begun = _begin(connection, policy, first, second, actor=actor, reason=reason)
        if isinstance(begun, str):
            raise ConfigError(f"No word was told to anybody: {begun}")
        return begun


def split(database: Database, conversation_id: int, *, actor: str, reason: str = "") -> bool:
    """Take the contact of a conversation out of its person; False when it is nobody but itself.

    Raises:
        ConfigError: there is no such conversation.
    """
    with database.begin() as connection:
        chat = _chat(connection, conversation_id)
        persons.lock(connection, [chat.id])
        person = persons.split(connection, chat.contact_id)
        if person is None:
            return False
        _press(connection, chat, SPLIT, actor, reason=reason, person=str(person))
        told = {"person": person, "contact": chat.contact_id, "reason": reason}
        ledger.record(connection, actor=actor, action="person split", subject=f"conversation {chat.id}", detail=told)
        return True


def show(database: Database, conversation_id: int) -> dict[str, Any]:
    """Everything that is known of the person in a conversation: its contacts, how we know, and their conversations on all channels.

    Raises:
        ConfigError: there is no such conversation.
    """
    with database.begin() as connection:
        chat = _chat(connection, conversation_id)
        members = persons.members(connection, [chat.contact_id])
        others = panels.of_contacts(connection, [row.id for row in members], limit=200)
    return {
        "person": chat.person_id,
        "contacts": [
            {
                "contact": row.id,
                "place": row.place,
                "name": wording.name_of(decode(Contact, row.profile)),
                "known_by": "this conversation" if row.id == chat.contact_id else "one-time words",
            }
            for row in members
        ],
        "conversations": [
            {
                "id": row.id,
                "place": row.place,
                "visibility": row.visibility,
                "stage": row.stage,
                "ticket": row.ticket_number,
                "url": row.ticket_url,
                "last_at": row.last_at,
            }
            for row in others
        ],
    }


def _chat(connection: Connection, conversation_id: int) -> Row[Any]:
    chat = persons.chat(connection, conversation_id)
    if chat is None:
        raise ConfigError(
            f"There is no conversation {conversation_id} with a contact; nothing was done. `crossdesk conversation list` shows them."
        )
    return chat


def _begin(connection: Connection, policy: PolicyAtWork, first: int, second: int | None, *, actor: str, reason: str = "") -> int | str:
    """A new proof, or why there is none."""
    chats = [_chat(connection, number) for number in (first, second) if number is not None]
    one, other = chats[0], chats[1] if len(chats) > 1 else None
    if any(chat.visibility != Visibility.PRIVATE for chat in chats):
        return "each of the two must have written to us in private; words are never told in public."
    if any(not chat.is_reachable for chat in chats):
        return "one of the two cannot be reached any more."
    if other is not None and one.contact_id == other.contact_id:
        return "both conversations are the same contact's."
    if other is not None and one.person_id is not None and one.person_id == other.person_id:
        return "both are known to be one person already."
    if persons.count_recent(connection, [chat.contact_id for chat in chats]) >= _A_DAY:
        return f"it was tried {_A_DAY} times within a day. Try again tomorrow."
    persons.lock(connection, [chat.id for chat in chats])
    issued = proofs.issue(
        now=now(connection), random=secrets.randbelow, salt=secrets.token_bytes(16), lifetime=policy.book.safety.proof_valid
    )
    proof_id = persons.begin(connection, issued.proof, first=one.id, second=None if other is None else other.id, actor=actor)
    expires = issued.proof.expires_at.isoformat()
    _press(connection, one, WORD, actor, word=issued.tell_first, by=expires, place="" if other is None else other.place)
    if other is not None:
        _press(connection, other, WORD, actor, word=issued.tell_second, by=expires, place=one.place)
    told = {"proof": proof_id, "with": None if other is None else other.id, "reason": reason}
    ledger.record(connection, actor=actor, action="person prove", subject=f"conversation {one.id}", detail=told)
    return proof_id


def _press(connection: Connection, chat: Row[Any], action: str, actor: str, *, reason: str = "", **arguments: str) -> None:
    """Have the other chat's own turn say it, in the order of things."""
    event = ActionTaken(
        event_key=f"crossdesk:action:{chat.id}:{uuid.uuid4().hex}",
        occurred_at=now(connection),
        action=action,
        actor=actor,
        reason=reason,
        arguments=tuple(sorted(arguments.items())),
    )
    intake.insert_for_conversation(connection, Place(chat.place), chat.id, [Arrival(event=event, origin=Origin.ACTION)])


# In a turn


def noted(desktop: Desktop, event: ArticleAdded) -> bool:
    """An internal note: False unless it asks to prove that two tickets' customers are one person."""
    wanted = _COMMAND.match(event.text.plain)
    if wanted is None or desktop.policy is None:
        return False
    other = persons.by_number(desktop.connection, desktop.held.helpdesk, wanted.group(1))
    begun = (
        f"there is no ticket {wanted.group(1)} with a conversation."
        if other is None
        else _begin(desktop.connection, desktop.policy, desktop.held.id, other, actor=event.agent_name)
    )
    if isinstance(begun, str):
        _note(desktop, "unproved", f"No one-time word was told to anybody: {begun}")
    return True


def pressed(desktop: Desktop, event: ActionTaken) -> Verdict:
    """What another chat's turn or a person wants said here."""
    policy, named = desktop.policy, dict(event.arguments)
    if policy is None:
        return Ignored(reason="no_policy")
    if event.action == WORD:
        _tell_word(desktop, policy, named)
    elif event.action == JOINED:
        _joined(desktop, policy, named)
    else:
        _decide(desktop, policy, SPLIT, f"Taken apart by {event.actor}.", person=named["person"])
        _note(desktop, "split", f"{event.actor} says that this contact is not the person that it was taken for. {event.reason}".strip())
    return Routed()


def hear(desktop: Desktop, event: MessageReceived) -> None:
    """The customer said something in private: perhaps a word of ours, or the wish to join accounts."""
    policy, held = desktop.policy, desktop.held
    if policy is None or event.visibility is not Visibility.PRIVATE or held.contact_id is None:
        return
    plain = event.text.plain
    if _WISH.match(plain):
        begun = _begin(desktop.connection, policy, held.id, None, actor="the customer")
        if isinstance(begun, str):
            _note(desktop, "unproved", f"The customer asked to join accounts; no one-time word was told: {begun}")
        return
    if not proofs.is_said(plain):
        return
    row = persons.latest(desktop.connection, held.id)
    if row is None:
        _hear_stranger(desktop, policy, plain)
        return
    side = Side.FIRST if row.first_conversation == held.id else Side.SECOND
    proof, step = proofs.hear(persons.proof_of(row), side, plain, now=held.now)
    state = "proved" if step is Step.PROVED else "spent" if step is Step.SPENT else row.state
    persons.keep(desktop.connection, row.id, proof, state=state, second=row.second_conversation)
    _answer(desktop, policy, row, step, tries=proof.tries_left)


def _hear_stranger(desktop: Desktop, policy: PolicyAtWork, plain: str) -> None:
    """Somebody with no proof of their own may be the other account of one that waits for it."""
    held = desktop.held
    for row in persons.unclaimed(desktop.connection, other_than=held.contact_id or 0):
        proof = persons.proof_of(row)
        if proofs.hear_elsewhere(proof, plain, now=held.now):
            proof, word = proofs.ask_back(proof, random=secrets.randbelow)
            persons.keep(desktop.connection, row.id, proof, state="open", second=held.id)
            first = _chat(desktop.connection, row.first_conversation)
            _tell_word(desktop, policy, {"word": word, "by": row.expires_at.isoformat(), "place": first.place})
            return


def _answer(desktop: Desktop, policy: PolicyAtWork, row: Row[Any], step: Step, *, tries: int) -> None:
    if step is Step.HALF:
        _note(desktop, "proof", "The customer said the right one-time word here; the other chat's is awaited.")
    elif step is Step.PROVED:
        chats = [_chat(desktop.connection, number) for number in (row.first_conversation, row.second_conversation)]
        person = persons.join(desktop.connection, [chat.contact_id for chat in chats])
        here, there = sorted(chats, key=lambda chat: chat.id != desktop.held.id)
        detail = {"person": person, "proof": row.id, "conversations": [here.id, there.id]}
        ledger.record(
            desktop.connection,
            actor="the customer, by one-time words",
            action="person join",
            subject=f"conversation {here.id}",
            detail=detail,
        )
        _press(desktop.connection, there, JOINED, row.actor, person=str(person), with_=str(here.id))
        _joined(desktop, policy, {"person": str(person), "with_": str(there.id)})
    elif step is not Step.NOTHING:
        told = f"{tries} tries are left." if step is Step.WRONG and tries else "Begin anew if it is still wanted."
        _note(desktop, "unproved", f"The customer said a one-time word that does not count ({step.value}). {told}")
        _say(desktop, policy, Saying.UNPROVED, {})


def _tell_word(desktop: Desktop, policy: PolicyAtWork, named: dict[str, str]) -> None:
    held = desktop.held
    by = held.now.fromisoformat(named["by"])
    if by <= held.now:
        _note(desktop, "unproved", "A one-time word was not told to the customer: its time was over before it could leave. Ask again.")
        return
    language = _language(desktop, policy)
    places = {
        "word": named["word"],
        "time": moment(by, language, crossing.team(desktop, policy).hours.zone),
        "network": _network(named["place"]),
    }
    saying = Saying.PROOF if named["place"] else Saying.PROOF_ELSEWHERE
    _say(desktop, policy, saying, places, secret=named["word"])


def _joined(desktop: Desktop, policy: PolicyAtWork, named: dict[str, str]) -> None:
    """Both words were said: the agents see the whole person, and the customer is told."""
    other = _chat(desktop.connection, int(named["with_"]))
    members = [row.id for row in persons.members(desktop.connection, [other.contact_id])]
    known = [row for row in panels.of_contacts(desktop.connection, members) if row.id != desktop.held.id]
    lines = [
        f"- {_network(row.place)}, {row.visibility}: {f'ticket {row.ticket_number} {row.ticket_url}'.strip() if row.ticket_number else 'no ticket'}"
        for row in known
    ]
    name = wording.name_of(decode(Contact, other.profile))
    text = "\n".join(
        [
            f"Proved by one-time words in both chats: the customer is also {name} on {_network(other.place)}. All their other conversations:",
            *lines,
            f"If that is wrong, `crossdesk person split {desktop.held.id}` takes it back.",
        ]
    )
    _decide(desktop, policy, JOINED, "One-time words were said in both chats.", person=named["person"])
    _note(desktop, "proved", text)
    _say(desktop, policy, Saying.PROVED, {"network": _network(other.place)})


def _say(desktop: Desktop, policy: PolicyAtWork, saying: Saying, places: dict[str, str], *, secret: str = "") -> None:
    limits = desktop.channel.adapter.capabilities.limits
    words = policy.book.texts.say(saying, language=_language(desktop, policy), places=places, limits=limits)
    crossing.tell(desktop, policy, saying.value, words=words, secret=secret)


def _language(desktop: Desktop, policy: PolicyAtWork) -> str:
    contact = desktop.held.contact
    spoken = desktop.course.state.language or (contact.language if contact is not None else "")
    return policy.book.texts.language(spoken, policy.language)


def _network(place: str) -> str:
    """The channel's name, as the company calls it."""
    return place.partition(":")[2][:24]


def _decide(desktop: Desktop, policy: PolicyAtWork, rule: str, reason: str, **outcome: str) -> None:
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="person", rule=rule, reason=reason, outcome=outcome))


def _note(desktop: Desktop, name: str, text: str) -> None:
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": text}))
