"""Contacts and conversations go by other ids when the platform itself says so (WhatsApp: the number, then the business-scoped id)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.add_column(
        "contact",
        sa.Column(
            "former_refs",
            sa.ARRAY(sa.String()),
            server_default="{}",
            nullable=False,
            comment="other ids that the platform told: the contact went by them",
        ),
    )
    op.add_column(
        "conversation",
        sa.Column(
            "former_keys",
            sa.ARRAY(sa.String()),
            server_default="{}",
            nullable=False,
            comment="other keys that the platform told: it went by them",
        ),
    )
    op.create_index(
        "ix_contact_former", "contact", ["former_refs"], postgresql_using="gin", postgresql_where=sa.text("former_refs <> '{}'")
    )
    op.create_index(
        "ix_conversation_former", "conversation", ["former_keys"], postgresql_using="gin", postgresql_where=sa.text("former_keys <> '{}'")
    )
