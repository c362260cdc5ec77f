"""Find the edits and reactions of a conversation's messages without walking all events: the agents' panel shows them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "ix_inbound_event_revising",
        "inbound_event",
        ["conversation_id", "id"],
        postgresql_where=sa.text("kind IN ('MessageEdited', 'ReactionChanged')"),
    )
