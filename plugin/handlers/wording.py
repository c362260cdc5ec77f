"""The sentences that Crossdesk itself writes into tickets. Plain words; what a person must do stands at the end."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.domain.model import Contact
from plugin.domain.text import Text, join
from plugin.policy.safety.names import visible

_TITLE = 80
OVERTAKEN = "This was written before something that stands above it; the platform told of it late."
LATE_ALBUM = "This belongs to an album of which a part stands above; the platform told of it late."
MERGED = (
    "The customer's ticket was merged into this one; from now on public replies in this ticket go to the customer. "
    "Nothing that stood here before is sent. If a reply of the last moments was meant for the customer, write it again."
)

WHAT_SOLVED_IT = (
    "It is resolved. What solved it? Write an internal note that begins with /solved, in general words and without the customer's data, with #tags and a link "
    "to a knowledge base article if there is one: who gets a similar message sees it as a suggestion."
)


def name_of(contact: Contact) -> str:
    """How people know a contact: name and handle, with nothing invisible in them and nothing that moves the words around them."""
    name = visible(contact.display_name)
    handle = f"@{visible(contact.handle)}" if contact.handle else ""
    if name and handle:
        return f"{name} ({handle})"
    return name or handle or contact.ref


def title(text: Text, contact: Contact, platform_name: str) -> str:
    """A ticket's title: the first words that were said, else who wrote and where."""
    line = next((line.strip() for line in text.plain.splitlines() if line.strip()), "")
    if not line:
        return f"{platform_name}: message from {name_of(contact)}"
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


def with_remarks(text: Text, remarks: Sequence[str]) -> Text:
    """What was said, and below it, in brackets, what could not be carried."""
    lines = [Text(f"[{remark}]") for remark in remarks]
    parts = [text, *lines] if text else lines
    return join(parts, "\n")


def bystander(contact: Contact, label: str = "") -> str:
    """The label above the words of somebody who is not the customer, with what the thread guard takes them for."""
    return f"{name_of(contact)} is not the customer of this ticket. {label or 'Who they are is not known.'}"


def found(search: str) -> str:
    """Said of a post that a saved search brought."""
    return f"Found by the search {search}; it does not address us."


def no_reply(why: str) -> str:
    """Said of a post that the platform does not let us answer; `why` is its sentence."""
    return f"Replies to this are not sent: {why}"


def edited(text: Text) -> Text:
    """A revision of an earlier message."""
    return Text("[The message was edited. It now says:]\n") + text


def deleted() -> Text:
    """The tombstone of a message."""
    return Text("[The customer deleted this message on the platform.]")


def native(text: Text) -> Text:
    """Something our own account said on the platform itself."""
    return Text("[Posted by our own account on the platform itself, not from this ticket:]\n") + text


def reaction(contact: Contact, emoji: str, *, added: bool) -> Text:
    """A reaction to a message."""
    return Text(f"[{name_of(contact)} {'reacted with' if added else 'took back the reaction'} {emoji}]")


def template_sent(name: str, actor: str, text: str) -> str:
    """For the agent: a prepared text went to the customer."""
    return f"{actor} sent the template {name} to the customer:\n{text}"


def hidden(ref: str, actor: str, *, is_hidden: bool) -> str:
    """For the agent: somebody's message was hidden, or shown again."""
    return f"{actor} {'hid' if is_hidden else 'showed again'} the message {ref} on the platform."


def undelivered(why: str, words: str) -> str:
    """Said of a reply that the platform took and could not bring to the customer; `words` are the reply's, empty for what is no person's."""
    line = " ".join(words.split())
    named = f"our reply “{line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + '…'}”" if line else "a message of ours"
    reason = (why.strip() or "it gives no reason").rstrip(".")
    return f"The platform took {named} but could not deliver it: {reason}. It stays in this ticket; write it again, or answer another way."


def twin(first: str | None, second: str | None) -> str:
    """For the admin: one wish was fulfilled twice."""
    return (
        f"Something may stand twice: {first or 'what is looked for now'} and {second} carry the same marker, because a process stood still right "
        "before its call and went on when another had taken over. Nothing is lost; look at both and remove one of them by hand."
    )


def lost_event() -> Text:
    """In place of a message that could not be shown."""
    return Text(
        "[1 message of this conversation could not be shown. It is kept in full: ask your Crossdesk admin to look at `crossdesk ledger quarantine list`.]"
    )


def lesson_kept(note: str) -> str:
    """For the agent: what solved it was kept."""
    return (
        f"Kept as what solved this: {note}\nWho gets a similar message sees it as a suggestion, with this ticket as its source. Nothing is sent by itself. "
        "`/solved` with other words replaces it; `crossdesk conversation solved NUMBER --withdraw` takes it back."
    )


def lesson_refused(why: str) -> str:
    """For the agent: what solved it was not kept."""
    return f"What solved it was not kept: {why} Write another note that begins with /solved."


def suggestion(number: str, url: str, note: str, *, tags: Sequence[str], link: str, words: Sequence[str]) -> str:
    """One line for the agent: what solved an earlier conversation that resembles this one."""
    source = f"ticket {number}" + (f" ({url})" if url else "")
    shown = f" [{', '.join(tags)}]" if tags else ""
    article = f"\n  Article: {link}" if link else ""
    shared = f"\n  It shares: {', '.join(words)}" if words else ""
    return f"- {note}{shown}\n  Source: {source}{article}{shared}"
