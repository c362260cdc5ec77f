"""The tickets of the fake helpdesk, and what the contract calls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from plugin.domain.events import ArticleAdded, ArticleAuthor
from plugin.domain.ids import ArticleRef, CustomerRef, Marker, MediaRef, TicketRef
from plugin.domain.model import Attachment, File, NewArticle, NewTicket, OpenedTicket, Stage, TicketState
from plugin.domain.text import Text

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Article:
    """One entry of a ticket."""

    ref: ArticleRef
    author: ArticleAuthor
    name: str
    text: Text
    internal: bool
    files: tuple[File, ...] = ()
    marker: Marker | None = None
    flips: int = 0
    """How often it was hidden or shown since it was written."""
    sent_at: datetime | None = None
    """When the customer was sent it, as the bridge said when it showed it."""
    new: NewArticle | None = None
    """What the bridge asked for, where it was the bridge."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A ticket as it stands now."""

    ref: TicketRef
    number: str
    title: str
    group: str
    customer_ref: CustomerRef
    marker: Marker | None
    new: NewTicket
    articles: list[Article] = field(default_factory=list)
    state: str = "new"
    owner: str = ""
    priority: str = ""
    stage: Stage = Stage.SOCIAL
    tags: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)
    merged_into: TicketRef | None = None
    is_deleted: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether the ticket is closed."""
        return self.state == "closed"


def opened(ticket: Ticket) -> OpenedTicket:
    """A ticket as `open_ticket` answers."""
    return OpenedTicket(
        ticket_ref=ticket.ref,
        number=ticket.number,
        article_ref=ticket.articles[0].ref if ticket.articles else None,
        customer_ref=ticket.customer_ref,
        url=f"https://helpdesk.example/{ticket.ref}",
    )


def added(ticket: Ticket, article: Article) -> ArticleAdded:
    """An article as `list_articles_since` tells it."""
    return ArticleAdded(
        event_key=f"article:{article.ref}:{'internal' if article.internal else 'public'}{f':{article.flips}' if article.flips else ''}",
        occurred_at=BEGINNING + timedelta(seconds=int(article.ref[1:])),
        ticket_ref=ticket.ref,
        article_ref=article.ref,
        author=article.author,
        agent_name=article.name,
        is_reply=article.author is ArticleAuthor.AGENT and not article.internal,
        text=article.text,
        attachments=tuple(
            Attachment(
                media_ref=MediaRef(f"{article.ref}/{number}"),
                filename=file.filename,
                content_type=file.content_type,
                size=len(file.content),
            )
            for number, file in enumerate(article.files)
        ),
        marker=article.marker,
    )


def written(new: NewArticle, ref: ArticleRef, marker: Marker) -> Article:
    """What the bridge asked for, as an entry."""
    return Article(
        ref=ref,
        author=ArticleAuthor.BRIDGE,
        name=new.author.display_name if new.author is not None else "Crossdesk",
        text=new.text,
        internal=new.internal,
        files=new.files,
        marker=marker,
        new=new,
    )


def state(ticket: Ticket, live_ref: TicketRef | None) -> TicketState:
    """A ticket as `follow_merge` tells it."""
    return TicketState(
        ticket_ref=ticket.ref,
        number=ticket.number,
        title=ticket.title,
        state="removed" if ticket.is_deleted else ticket.state,
        is_closed=ticket.is_closed,
        owner=ticket.owner,
        group=ticket.group,
        live_ref=live_ref,
        fields=tuple(sorted(ticket.fields.items())),
    )
