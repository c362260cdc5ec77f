"""Agents keep notes and tags about persons; open tickets are counted by owner without a walk through the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.create_table(
        "person_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False, comment="in whose ticket it was written; its person has it, too"),
        sa.Column("kind", sa.String(), nullable=False, comment="note, tag"),
        sa.Column("words", sa.String(), nullable=False, comment="plain, without secrets"),
        sa.Column("actor", sa.String(), nullable=False, comment="who wrote it"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person_note"),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_person_note_contact_id"),
    )
    op.create_index("ix_person_note_contact_id", "person_note", ["contact_id", "id"])
    op.create_index(
        "ix_conversation_owner",
        "conversation",
        ["helpdesk", "ticket_owner"],
        postgresql_where=sa.text("NOT ticket_closed AND ticket_owner <> ''"),
    )
    op.create_index(
        "ix_conversation_unowned",
        "conversation",
        ["helpdesk", "opened_at"],
        postgresql_where=sa.text("NOT ticket_closed AND ticket_owner = '' AND opened_at IS NOT NULL"),
    )
