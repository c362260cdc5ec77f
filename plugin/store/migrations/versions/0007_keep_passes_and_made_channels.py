"""Sessions, links and forms of the console get a table of their own; channels can be made in the console, not only in the file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "console_pass",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of what the browser holds"),
        sa.Column("kind", sa.String(), nullable=False, comment="link, session, form"),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False, comment="whose it is and in which role, encrypted"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_console_pass"),
    )
    op.create_index("ix_console_pass_expires_at", "console_pass", ["expires_at"])
    # Who is signed in stays so; whatever runs out, runs out.
    op.execute(
        "INSERT INTO console_pass (digest, kind, ciphertext, expires_at) "
        "SELECT digest, place, ciphertext, expires_at FROM oauth_grant WHERE place LIKE 'console:%'"
    )
    op.execute("DELETE FROM oauth_grant WHERE place LIKE 'console:%'")
    op.execute(sa.schema.CreateSequence(sa.Sequence("channel_version")))
    op.create_table(
        "channel",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, comment="draft: being set up or changed; live: at work"),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False, comment="the settings as JSON, encrypted"),
        sa.Column("routing", json, nullable=True, comment="helpdesk, group, late; null: not chosen yet"),
        sa.Column("tested", json, nullable=True, comment="what the checks of these very settings said; null: not run"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of channel_version: rises with each change of any channel"),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("key", "state", name="pk_channel"),
    )
