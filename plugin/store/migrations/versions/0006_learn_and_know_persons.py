"""Keep what solved conversations, who was proved to be one person, passes to the private page, and what was seen of likely impostors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _moment(name: str, *, is_now: bool = False, is_needed: bool = False) -> sa.Column[object]:
    default = sa.func.now() if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not (is_now or is_needed))


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "solution",
        _id(),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id", name="fk_solution_conversation_id"), nullable=False),
        sa.Column("note", sa.String(), nullable=False, comment="what solved it, without anybody's personal data"),
        sa.Column("tags", json, nullable=False),
        sa.Column("link", sa.String(), server_default="", nullable=False, comment="an article of a knowledge base"),
        sa.Column("problem", json, nullable=False, comment="telling words of what the customer said, sorted, none of them personal"),
        sa.Column("keys", postgresql.ARRAY(sa.String()), nullable=False, comment="by which similar messages find it"),
        sa.Column("actor", sa.String(), nullable=False),
        _moment("created_at", is_now=True),
        sa.PrimaryKeyConstraint("id", name="pk_solution"),
        sa.UniqueConstraint("conversation_id", name="uq_solution_conversation_id"),
    )
    op.create_index("ix_solution_keys", "solution", ["keys"], postgresql_using="gin")
    op.create_table("person", _id(), _moment("created_at", is_now=True), sa.PrimaryKeyConstraint("id", name="pk_person"))
    op.add_column(
        "contact",
        sa.Column(
            "person_id",
            sa.BigInteger(),
            sa.ForeignKey("person.id", name="fk_contact_person_id"),
            comment="who it was proved to be; null: nobody but itself",
        ),
    )
    op.create_index("ix_contact_person_id", "contact", ["person_id"], postgresql_where=sa.text("person_id IS NOT NULL"))
    op.create_table(
        "proof",
        _id(),
        sa.Column(
            "first_conversation", sa.BigInteger(), sa.ForeignKey("conversation.id", name="fk_proof_first_conversation"), nullable=False
        ),
        sa.Column(
            "second_conversation",
            sa.BigInteger(),
            sa.ForeignKey("conversation.id", name="fk_proof_second_conversation"),
            comment="null: not known until the first word is said there",
        ),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("first_digest", sa.LargeBinary(), nullable=False, comment="of the word that must be said in the first conversation"),
        sa.Column("second_digest", sa.LargeBinary(), nullable=False),
        _moment("issued_at", is_needed=True),
        _moment("expires_at", is_needed=True),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("first_done", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("second_done", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("state", sa.String(), server_default="open", nullable=False, comment="open, proved, spent, replaced"),
        sa.Column("actor", sa.String(), nullable=False, comment="who asked for it"),
        sa.PrimaryKeyConstraint("id", name="pk_proof"),
    )
    op.create_index("ix_proof_first_conversation_issued_at", "proof", ["first_conversation", "issued_at"])
    op.create_index("ix_proof_second_conversation_issued_at", "proof", ["second_conversation", "issued_at"])
    op.create_table(
        "page_pass",
        _id(),
        sa.Column(
            "conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id", name="fk_page_pass_conversation_id"), nullable=False
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret that the browser keeps"),
        sa.Column("word_digest", sa.LargeBinary(), nullable=False, comment="of the word that the customer says in the thread"),
        _moment("created_at", is_now=True),
        _moment("expires_at", is_needed=True),
        _moment("proved_at"),
        sa.PrimaryKeyConstraint("id", name="pk_page_pass"),
        sa.UniqueConstraint("digest", name="uq_page_pass_digest"),
    )
    op.create_index("ix_page_pass_conversation_id_expires_at", "page_pass", ["conversation_id", "expires_at"])
    op.create_table(
        "evidence",
        _id(),
        sa.Column("event_id", sa.BigInteger(), sa.ForeignKey("inbound_event.id", name="fk_evidence_event_id"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id", name="fk_evidence_conversation_id"), nullable=False),
        sa.Column("content", json, nullable=False, comment="profile and words of a likely impostor, as they were"),
        _moment("created_at", is_now=True),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.UniqueConstraint("event_id", name="uq_evidence_event_id"),
    )
    op.create_index("ix_evidence_conversation_id", "evidence", ["conversation_id"])
