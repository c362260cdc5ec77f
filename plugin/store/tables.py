"""The tables. One meaning per column, all times aware UTC, every outside reference scoped by its place.

An identity column doubles as sequence number where order matters: rows of one conversation are inserted under its row lock, so their ids rise in the
order in which they were accepted. The partial indexes cover open rows only, which keeps the cost per message flat as data grows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(), primary_key=True)


def _time(name: str, *, now: bool = False) -> Column[object]:
    if now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))


place = Table(
    "place",
    metadata,
    Column("key", String, primary_key=True, comment="channel:NAME or helpdesk:NAME"),
    Column("adapter", String, nullable=False, comment="platform or helpdesk kind"),
    Column("status", String, nullable=False, server_default="active", comment="active, paused, reauth, billing"),
    Column("status_text", String, nullable=False, server_default=""),
    _time("status_since", now=True),
    _time("blocked_until"),
    Column("blocked_reason", String, nullable=False, server_default="", comment="rate or outage"),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row, for the back-off of the whole place"),
    Column("next_call_at", DateTime(timezone=True), comment="when the rate budget allows a call again, less one second of burst"),
    Column("heard_at", DateTime(timezone=True), comment="when a delivery by webhook last came; null: never"),
)

alert = Table(
    "alert",
    metadata,
    _id(),
    Column("place", String, nullable=False),
    Column("code", String, nullable=False),
    Column("text", String, nullable=False, comment="what happened, what was kept, what to do next"),
    _time("opened_at", now=True),
    _time("closed_at"),
    Index("uq_alert_open", "place", "code", unique=True, postgresql_where=text("closed_at IS NULL")),
)

receipt = Table(
    "receipt",
    metadata,
    _id(),
    Column("place", String, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of path and body: a redelivery is the same receipt"),
    Column("method", String, nullable=False),
    Column("path", String, nullable=False),
    Column("query", JSONB, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _time("received_at", now=True),
    Column("state", String, nullable=False, server_default="new", comment="new, retry, split, quarantined, dropped"),
    Column("reason", String, nullable=False, server_default=""),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    _time("due_at", now=True),
    Column("events", Integer, nullable=False, server_default="0", comment="how many events it was split into, known ones included"),
    UniqueConstraint("place", "digest"),
    Index("ix_receipt_open", "place", "id", postgresql_where=text("state IN ('new', 'retry')")),
    Index("ix_receipt_set_aside", "id", postgresql_where=text("state = 'quarantined'")),
    Index("ix_receipt_split", "received_at", postgresql_where=text("state = 'split'")),
)

contact = Table(
    "contact",
    metadata,
    _id(),
    Column("place", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("profile", JSONB, nullable=False),
    Column(
        "former_refs",
        ARRAY(String),
        nullable=False,
        server_default="{}",
        comment="other ids that the platform told: the contact went by them",
    ),
    Column("customer_ref", String),
    _time("seen_at", now=True),
    Column("person_id", BigInteger, ForeignKey("person.id"), comment="who it was proved to be; null: nobody but itself"),
    UniqueConstraint("place", "ref"),
    Index("ix_contact_former", "former_refs", postgresql_using="gin", postgresql_where=text("former_refs <> '{}'")),
    Index("ix_contact_person_id", "person_id", postgresql_where=text("person_id IS NOT NULL")),
)

person = Table("person", metadata, _id(), _time("created_at", now=True))

conversation = Table(
    "conversation",
    metadata,
    _id(),
    Column("place", String, nullable=False),
    Column("thread_key", String, nullable=False),
    Column("former_keys", ARRAY(String), nullable=False, server_default="{}", comment="other keys that the platform told: it went by them"),
    Column("contact_id", BigInteger, ForeignKey("contact.id"), comment="who opened it; null until someone but us spoke"),
    Column("visibility", String, nullable=False),
    Column("helpdesk", String, nullable=False),
    Column("ticket_ref", String),
    Column("ticket_number", String),
    Column("ticket_url", String, nullable=False, server_default=""),
    Column("ticket_closed", Boolean, nullable=False, server_default="false"),
    Column("former_ticket_ref", String, comment="the ticket that was deleted or left behind; the next one is linked to it"),
    Column("article_cursor", String, comment="the last article that was looked at"),
    Column("stage", String, nullable=False, server_default="social"),
    Column("is_scam", Boolean, nullable=False, server_default="false"),
    Column("is_reachable", Boolean, nullable=False, server_default="true"),
    Column("hold_reason", String, comment="set: nothing leaves for the platform until a person releases it"),
    Column("hold_text", String, nullable=False, server_default=""),
    _time("last_inbound_at"),
    Column("ticket_owner", String, nullable=False, server_default="", comment="as the helpdesk told last"),
    Column("ticket_group", String, nullable=False, server_default=""),
    Column("ticket_fields", JSONB, nullable=False, server_default="{}", comment="custom fields by name, as the helpdesk told last"),
    Column("crossover", JSONB, nullable=False, server_default="{}", comment="where it stands in the crossover contract"),
    Column("agent_lock", JSONB, nullable=False, server_default="{}", comment="who answers, until when, and the fence"),
    Column("candidates", JSONB, nullable=False, server_default="[]", comment="replies that wait for a second person's yes"),
    Column("continued_by", BigInteger, comment="the private conversation of the same contact that took the ticket over"),
    _time("opened_at"),
    _time("unanswered_since"),
    Column("queue_since", DateTime(timezone=True), comment="the place in the queue that it had before it was answered"),
    _time("last_agent_at"),
    _time("last_customer_at"),
    Column("agent_replies", Integer, nullable=False, server_default="0"),
    Column("customer_messages", Integer, nullable=False, server_default="0"),
    Column("bystander_messages", Integer, nullable=False, server_default="0"),
    Column("times_reopened", Integer, nullable=False, server_default="0"),
    _time("created_at", now=True),
    Column("lease_owner", String),
    Column("lease_fence", BigInteger, nullable=False, server_default="0"),
    _time("lease_until"),
    _time("due_at"),
    Column("looked_at", DateTime(timezone=True), comment="when its messages were last asked about again; null: they need not be"),
    Column(
        "looked_upto",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="the last message of that look; the next one goes on behind it",
    ),
    UniqueConstraint("place", "thread_key"),
    Index("ix_conversation_former", "former_keys", postgresql_using="gin", postgresql_where=text("former_keys <> '{}'")),
    Index("ix_conversation_due", "place", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_conversation_ticket", "helpdesk", "ticket_ref", postgresql_where=text("ticket_ref IS NOT NULL")),
    Index("ix_conversation_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    Index("ix_conversation_contact", "contact_id", "id"),
    Index("ix_conversation_continued", "continued_by", postgresql_where=text("continued_by IS NOT NULL")),
    Index("ix_conversation_owner", "helpdesk", "ticket_owner", postgresql_where=text("NOT ticket_closed AND ticket_owner <> ''")),
    Index(
        "ix_conversation_unowned",
        "helpdesk",
        "opened_at",
        postgresql_where=text("NOT ticket_closed AND ticket_owner = '' AND opened_at IS NOT NULL"),
    ),
    Index("ix_conversation_looked", "place", "looked_at", postgresql_where=text("looked_at IS NOT NULL AND NOT ticket_closed")),
)

inbound_event = Table(
    "inbound_event",
    metadata,
    _id(),
    Column("place", String, nullable=False),
    Column("event_key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column(
        "conversation_id", BigInteger, ForeignKey("conversation.id"), comment="null: no conversation of ours is concerned, or not known yet"
    ),
    Column("receipt_id", BigInteger),
    Column("origin", String, nullable=False, comment="webhook, poll, backfill, action, timer"),
    Column("payload", JSONB, nullable=False),
    Column("target_ref", String, comment="the message that this one is about or waits for"),
    _time("occurred_at"),
    _time("received_at", now=True),
    Column(
        "state", String, nullable=False, server_default="accepted", comment="accepted, waiting, retry, routed, done, ignored, quarantined"
    ),
    Column("reason", String, nullable=False, server_default=""),
    Column("deaths", SmallInteger, nullable=False, server_default="0", comment="counted before the risky work"),
    Column("errors", SmallInteger, nullable=False, server_default="0"),
    _time("due_at"),
    UniqueConstraint("place", "event_key"),
    Index("ix_inbound_event_open", "conversation_id", "id", postgresql_where=text("state IN ('accepted', 'waiting', 'retry')")),
    Index("ix_inbound_event_waiting", "place", "target_ref", postgresql_where=text("state = 'waiting' AND target_ref IS NOT NULL")),
    Index("ix_inbound_event_stray", "due_at", postgresql_where=text("conversation_id IS NULL AND state = 'waiting'")),
    Index("ix_inbound_event_routed", "id", postgresql_where=text("state = 'routed'")),
    Index("ix_inbound_event_set_aside", "id", postgresql_where=text("state = 'quarantined'")),
    Index("ix_inbound_event_receipt", "receipt_id"),
    Index("ix_inbound_event_revising", "conversation_id", "id", postgresql_where=text("kind IN ('MessageEdited', 'ReactionChanged')")),
)

message = Table(
    "message",
    metadata,
    _id(),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("event_id", BigInteger, ForeignKey("inbound_event.id"), nullable=False, comment="what was said stands in the event"),
    Column(
        "direction",
        String,
        nullable=False,
        comment="inbound, outbound, native (said by our side on the platform itself), notice (said by Crossdesk)",
    ),
    Column("contact_id", BigInteger, ForeignKey("contact.id"), comment="who spoke, when it was not us"),
    Column("text_digest", LargeBinary, nullable=False),
    _time("occurred_at"),
    _time("created_at", now=True),
    Column("revisions", Integer, nullable=False, server_default="0"),
    _time("deleted_at"),
    Column("delivery", String, nullable=False, server_default="", comment="how far an outbound message came, in the platform's word"),
    UniqueConstraint("event_id", "direction"),
    Index("ix_message_conversation", "conversation_id", "id"),
    Index("ix_message_contact", "contact_id", "created_at", postgresql_where=text("direction = 'inbound'")),
    Index("ix_message_said", "conversation_id", "occurred_at", postgresql_where=text("direction = 'inbound'")),
)

message_ref = Table(
    "message_ref",
    metadata,
    Column("place", String, primary_key=True),  # `opened:PLACE` beside PLACE: threads that a message of ours opened
    Column("ref", String, primary_key=True),
    Column("message_id", BigInteger, ForeignKey("message.id"), nullable=False),
    Column("part", SmallInteger, nullable=False, server_default="0"),
    Index("ix_message_ref_message", "message_id"),
)

intent = Table(
    "intent",
    metadata,
    _id(),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("event_id", BigInteger, ForeignKey("inbound_event.id"), nullable=False),
    Column("message_id", BigInteger, ForeignKey("message.id")),
    Column("lane", String, nullable=False),
    Column("op", String, nullable=False),
    Column("part", SmallInteger, nullable=False, server_default="0"),
    Column("marker", String, nullable=False, unique=True),
    Column("payload", JSONB, nullable=False),
    Column(
        "state",
        String,
        nullable=False,
        server_default="pending",
        comment="pending, sending, unknown, held, sent, failed, quarantined, dropped",
    ),
    Column("call", String, nullable=False, server_default="", comment="what was last asked of the other side, for the read-back"),
    Column("reason", String, nullable=False, server_default="", comment="held reason or error code"),
    Column("reason_text", String, nullable=False, server_default="", comment="the sentence for people"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("errors", SmallInteger, nullable=False, server_default="0", comment="unexpected faults, ours"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    _time("created_at", now=True),
    _time("sent_at"),
    _time("settle_at"),
    _time("ended_at"),
    Column("due_at", DateTime(timezone=True), server_default=func.now(), comment="null: only a person or an event can move it"),
    Column("remote_ref", String),
    UniqueConstraint("event_id", "op", "part"),
    Index(
        "ix_intent_open",
        "conversation_id",
        "lane",
        "id",
        postgresql_where=text("state IN ('pending', 'sending', 'unknown', 'held')"),
    ),
    Index("ix_intent_set_aside", "id", postgresql_where=text("state = 'quarantined'")),
)

attempt = Table(
    "attempt",
    metadata,
    _id(),
    Column("intent_id", BigInteger, ForeignKey("intent.id"), nullable=False),
    Column("call", String, nullable=False),
    Column("fence", BigInteger, nullable=False),
    _time("started_at"),
    _time("ended_at", now=True),
    Column("outcome", String, nullable=False, comment="applied, found, absent, or an error code"),
    Column("detail", String, nullable=False, server_default=""),
    Index("ix_attempt_intent", "intent_id"),
)

decision = Table(
    "decision",
    metadata,
    _id(),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("event_id", BigInteger, ForeignKey("inbound_event.id"), nullable=False, comment="what it was decided on"),
    _time("at", now=True),
    Column("kind", String, nullable=False, comment="crossover, route, filter, action, timer, answer, ticket, broken"),
    Column("rule", String, nullable=False),
    Column("reason", String, nullable=False, server_default=""),
    Column("outcome", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("policy", String, nullable=False, comment="digest of the policy that decided"),
    Column("state", String, nullable=False, server_default="done", comment="done, quarantined, dropped"),
    Index("ix_decision_conversation", "conversation_id", "id"),
    Index("ix_decision_set_aside", "id", postgresql_where=text("state = 'quarantined'")),
)

tally = Table(
    "tally",
    metadata,
    Column("place", String, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("messages", Integer, nullable=False, comment="said by others on the channel in that hour"),
)

media = Table(
    "media",
    metadata,
    Column("event_id", BigInteger, ForeignKey("inbound_event.id"), primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("filename", String, nullable=False),
    Column("content_type", String, nullable=False),
    Column("sha256", LargeBinary),
    Column("content", LargeBinary, comment="kept until the file stands in the ticket"),
    Column("refusal", String, nullable=False, server_default="", comment="why there are no bytes"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("place", String, primary_key=True),
    Column("task", String, primary_key=True, server_default="poll", comment="poll, recheck or search:NAME"),
    Column("position", JSONB),
    Column("due_at", DateTime(timezone=True), server_default=func.now(), comment="null: no longer in the file"),
    _time("last_ok_at"),
    Column("lease_fence", BigInteger, nullable=False, server_default="0"),
    _time("lease_until"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("found", BigInteger, nullable=False, server_default="0", comment="events that no webhook had brought"),
    Column("missed", BigInteger, nullable=False, server_default="0", comment="those of them that were found after a time of no polls"),
    Column("streak", SmallInteger, nullable=False, server_default="0", comment="polls in a row that found something while no webhook came"),
    Column(
        "spent", Integer, nullable=False, server_default="0", comment="posts read on the day `spent_on`, those asked for just now included"
    ),
    Column("spent_on", Date),
)

secret = Table(
    "secret",
    metadata,
    Column("place", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    _time("rotated_at", now=True),
)

oauth_grant = Table(
    "oauth_grant",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the state that goes out and comes back once"),
    Column("place", String, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False, comment="verifier and redirect address, encrypted"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

console_pass = Table(
    "console_pass",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of what the browser holds"),
    Column("kind", String, nullable=False, comment="link, session, form"),
    Column("ciphertext", LargeBinary, nullable=False, comment="whose it is and in which role, encrypted"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("ix_console_pass_expires_at", "expires_at"),
)

channel_version = Sequence("channel_version", metadata=metadata)

channel = Table(
    "channel",
    metadata,
    Column("key", String, primary_key=True),
    Column("state", String, primary_key=True, comment="draft: being set up or changed; live: at work"),
    Column("platform", String, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False, comment="the settings as JSON, encrypted"),
    Column("routing", JSONB, comment="helpdesk, group, late; null: not chosen yet"),
    Column("tested", JSONB, comment="what the checks of these very settings said; null: not run"),
    Column("version", BigInteger, nullable=False, comment="of channel_version: rises with each change of any channel"),
    Column("made_by", String, nullable=False),
    Column("changed_by", String, nullable=False),
    _time("changed_at", now=True),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _time("at", now=True),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", JSONB, nullable=False),
)

solution = Table(
    "solution",
    metadata,
    _id(),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("note", String, nullable=False, comment="what solved it, without anybody's personal data"),
    Column("tags", JSONB, nullable=False),
    Column("link", String, nullable=False, server_default="", comment="an article of a knowledge base"),
    Column("problem", JSONB, nullable=False, comment="telling words of what the customer said, sorted, none of them personal"),
    Column("keys", ARRAY(String), nullable=False, comment="by which similar messages find it"),
    Column("actor", String, nullable=False),
    _time("created_at", now=True),
    UniqueConstraint("conversation_id"),
    Index("ix_solution_keys", "keys", postgresql_using="gin"),
)

person_note = Table(
    "person_note",
    metadata,
    _id(),
    Column(
        "contact_id", BigInteger, ForeignKey("contact.id"), nullable=False, comment="in whose ticket it was written; its person has it, too"
    ),
    Column("kind", String, nullable=False, comment="note, tag"),
    Column("words", String, nullable=False, comment="plain, without secrets"),
    Column("actor", String, nullable=False, comment="who wrote it"),
    _time("created_at", now=True),
    Index("ix_person_note_contact_id", "contact_id", "id"),
)

proof = Table(
    "proof",
    metadata,
    _id(),
    Column("first_conversation", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("second_conversation", BigInteger, ForeignKey("conversation.id"), comment="null: not known until the first word is said there"),
    Column("salt", LargeBinary, nullable=False),
    Column("first_digest", LargeBinary, nullable=False, comment="of the word that must be said in the first conversation"),
    Column("second_digest", LargeBinary, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("tries_left", SmallInteger, nullable=False),
    Column("first_done", Boolean, nullable=False, server_default="false"),
    Column("second_done", Boolean, nullable=False, server_default="false"),
    Column("state", String, nullable=False, server_default="open", comment="open, proved, spent, replaced"),
    Column("actor", String, nullable=False, comment="who asked for it"),
    Index("ix_proof_first_conversation_issued_at", "first_conversation", "issued_at"),
    Index("ix_proof_second_conversation_issued_at", "second_conversation", "issued_at"),
)

page_pass = Table(
    "page_pass",
    metadata,
    _id(),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the secret that the browser keeps"),
    Column("word_digest", LargeBinary, nullable=False, comment="of the word that the customer says in the thread"),
    _time("created_at", now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _time("proved_at"),
    Index("ix_page_pass_conversation_id_expires_at", "conversation_id", "expires_at"),
)

evidence = Table(
    "evidence",
    metadata,
    _id(),
    Column("event_id", BigInteger, ForeignKey("inbound_event.id"), nullable=False, unique=True),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("content", JSONB, nullable=False, comment="profile and words of a likely impostor, as they were"),
    _time("created_at", now=True),
    Index("ix_evidence_conversation_id", "conversation_id"),
)
