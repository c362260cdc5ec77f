"""Give conversations the agents' lock, and the replies that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.add_column(
        "conversation",
        sa.Column("agent_lock", json, server_default=sa.text("'{}'"), nullable=False, comment="who answers, until when, and the fence"),
    )
    op.add_column(
        "conversation",
        sa.Column(
            "candidates", json, server_default=sa.text("'[]'"), nullable=False, comment="replies that wait for a second person's yes"
        ),
    )
