"""Raw deliveries past their retention are found by their time; looking for them once a minute walked all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    op.create_index("ix_receipt_split", "receipt", ["received_at"], postgresql_where=sa.text("state = 'split'"))
