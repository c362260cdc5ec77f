"""Have cursors for saved searches and for looking again, know when webhooks fall silent, and keep what an OAuth connect waits for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "place",
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True, comment="when a delivery by webhook last came; null: never"),
    )
    op.add_column(
        "conversation",
        sa.Column(
            "looked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its messages were last asked about again; null: they need not be",
        ),
    )
    op.add_column(
        "conversation",
        sa.Column(
            "looked_upto",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="the last message of that look; the next one goes on behind it",
        ),
    )
    op.create_index(
        "ix_conversation_looked",
        "conversation",
        ["place", "looked_at"],
        unique=False,
        postgresql_where=sa.text("looked_at IS NOT NULL AND NOT ticket_closed"),
    )
    for column in (
        sa.Column("task", sa.String(), server_default="poll", nullable=False, comment="poll, recheck or search:NAME"),
        sa.Column(
            "missed",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="those of them that were found after a time of no polls",
        ),
        sa.Column(
            "streak",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="polls in a row that found something while no webhook came",
        ),
        sa.Column(
            "spent",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="posts read on the day `spent_on`, those asked for just now included",
        ),
        sa.Column("spent_on", sa.Date(), nullable=True),
    ):
        op.add_column("cursor", column)
    op.alter_column("cursor", "due_at", existing_type=sa.DateTime(timezone=True), nullable=True, comment="null: no longer in the file")
    op.drop_constraint("pk_cursor", "cursor", type_="primary")
    op.create_primary_key("pk_cursor", "cursor", ["place", "task"])
    op.create_table(
        "oauth_grant",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the state that goes out and comes back once"),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False, comment="verifier and redirect address, encrypted"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_oauth_grant")),
    )
