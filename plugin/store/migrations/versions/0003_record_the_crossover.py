"""Record the crossover: its state, its decisions, and the counts that rules look at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_COUNTS = ("agent_replies", "customer_messages", "bystander_messages", "times_reopened")
_MOMENTS = ("opened_at", "unanswered_since", "last_agent_at", "last_customer_at")


def upgrade() -> None:
    _widen_conversations()
    op.create_index("ix_conversation_contact", "conversation", ["contact_id", "id"])
    op.create_index("ix_conversation_continued", "conversation", ["continued_by"], postgresql_where=sa.text("continued_by IS NOT NULL"))
    op.drop_constraint(op.f("uq_message_event_id"), "message", type_="unique")
    op.create_unique_constraint(op.f("uq_message_event_id_direction"), "message", ["event_id", "direction"])
    op.alter_column(
        "message",
        "direction",
        existing_type=sa.String(),
        existing_nullable=False,
        comment="inbound, outbound, native (said by our side on the platform itself), notice (said by Crossdesk)",
        existing_comment="inbound, outbound, native (said by our side on the platform itself)",
    )
    op.alter_column(
        "inbound_event",
        "origin",
        existing_type=sa.String(),
        existing_nullable=False,
        comment="webhook, poll, backfill, action, timer",
        existing_comment="webhook, poll, backfill",
    )
    op.create_index("ix_message_contact", "message", ["contact_id", "created_at"], postgresql_where=sa.text("direction = 'inbound'"))
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False, comment="what it was decided on"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="crossover, route, filter, action, timer, answer, ticket, broken"),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy", sa.String(), nullable=False, comment="digest of the policy that decided"),
        sa.Column("state", sa.String(), server_default="done", nullable=False, comment="done, quarantined, dropped"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_decision_conversation_id")),
        sa.ForeignKeyConstraint(["event_id"], ["inbound_event.id"], name=op.f("fk_decision_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_conversation", "decision", ["conversation_id", "id"])
    op.create_index("ix_decision_set_aside", "decision", ["id"], postgresql_where=sa.text("state = 'quarantined'"))
    op.create_table(
        "tally",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False, comment="said by others on the channel in that hour"),
        sa.PrimaryKeyConstraint("place", "hour", name=op.f("pk_tally")),
    )


def _widen_conversations() -> None:
    empty = sa.text("'{}'")
    added: list[sa.Column[Any]] = [
        sa.Column("ticket_owner", sa.String(), server_default="", nullable=False, comment="as the helpdesk told last"),
        sa.Column("ticket_group", sa.String(), server_default="", nullable=False),
        sa.Column(
            "ticket_fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=empty,
            nullable=False,
            comment="custom fields by name, as the helpdesk told last",
        ),
        sa.Column(
            "crossover",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=empty,
            nullable=False,
            comment="where it stands in the crossover contract",
        ),
        sa.Column(
            "continued_by",
            sa.BigInteger(),
            nullable=True,
            comment="the private conversation of the same contact that took the ticket over",
        ),
        sa.Column(
            "queue_since", sa.DateTime(timezone=True), nullable=True, comment="the place in the queue that it had before it was answered"
        ),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _MOMENTS),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in _COUNTS),
    ]
    for column in added:
        op.add_column("conversation", column)
