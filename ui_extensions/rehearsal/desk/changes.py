"""What one call did to a ticket, for those who must hear of it."""

from __future__ import annotations

from dataclasses import dataclass

from ui_extensions.rehearsal.desk.rows import Article, Ticket, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The article that a call added and the names of the columns it changed."""

    ticket: Ticket
    by: User
    article: Article | None = None
    changed: frozenset[str] = frozenset()
    is_new: bool = False
