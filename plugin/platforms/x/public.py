"""Posts as events: whose conversation each one belongs to, which are noise, and whom X lets us answer.

Source: X documentation, "Manage Posts" (replies only to those who mentioned the account or quoted it), "Conversation ID", "Edit Posts".
"""

from __future__ import annotations

from collections.abc import Sequence

from plugin.domain.errors import UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.domain.model import Visibility
from plugin.platforms.x.keys import PublicThread
from plugin.platforms.x.posts import Post

NOT_SUMMONED = (
    "X lets us answer only those who mentioned this account or quoted one of its posts, and this author did neither. Answer in private, "
    "or in the X app."
)
BLOCKED = "The author has blocked this account, so X lets us answer neither in public nor in private."
_WAS_EDITED = "The author had edited this post before it reached us."
_UNKNOWN_PLACE = "X did not tell to which conversation this answer belongs, so it may stand apart from what was said before."


def spoken(post: Post, account: str, *, found_by: str = "", is_summoned: bool = False, is_blocked: bool = False) -> Sequence[PlatformEvent]:
    """What a post is to `account`: a message, and an edit where it has been edited. `is_summoned`: X itself says that it addresses us.

    Raises:
        UnsupportedEvent: it is noise: a repost, or a post of our own that answers nobody.
    """
    if post.is_repost:
        raise UnsupportedEvent("Somebody passed a post on without words of their own; it was counted and left out.", detail="repost")
    is_own = post.author.ref == account
    may_answer = is_own or is_summoned or is_addressed(post, account)
    message = MessageReceived(
        event_key=f"post:{post.first}",
        occurred_at=post.at,
        message_ref=MessageRef(post.first),
        thread_key=_thread(post, account).key,
        visibility=Visibility.PUBLIC,
        author=post.author,
        text=post.text,
        attachments=post.attachments,
        parent_ref=MessageRef(post.parent) if post.parent else None,
        url=post.url,
        is_own=is_own,
        remarks=(*post.remarks, *((_WAS_EDITED,) if post.revision else ()), *((_UNKNOWN_PLACE,) if _is_adrift(post) else ())),
        found_by=found_by,
        no_reply=BLOCKED if is_blocked else "" if may_answer else NOT_SUMMONED,
    )
    return (message, edited(post, account)) if post.revision else (message,)


def edited(post: Post, account: str) -> MessageEdited:
    """The latest wording of a post that was edited."""
    return MessageEdited(
        event_key=f"post:{post.first}:{post.revision:02}",
        occurred_at=None,
        message_ref=MessageRef(post.first),
        revision=f"{post.revision:02}",
        text=post.text,
        attachments=post.attachments,
        author_ref=post.author.ref,
        is_own=post.author.ref == account,
        remarks=post.remarks,
    )


def deleted(one: str, *, is_own: bool) -> MessageDeleted:
    """A post that X does not have any more. It does not say since when."""
    return MessageDeleted(event_key=f"post:{one}:deleted", occurred_at=None, message_ref=MessageRef(one), is_own=is_own)


def is_addressed(post: Post, account: str) -> bool:
    """Whether the author named `account` or quoted it: what X asks for before it lets us answer."""
    return account in post.mentioned or post.quoted_author == account


def _thread(post: Post, account: str) -> PublicThread:
    """Whose conversation a post belongs to.

    Raises:
        UnsupportedEvent: it is ours, and nobody's.
    """
    conversation = post.conversation or post.parent or post.first
    if post.author.ref == account:
        return PublicThread(conversation, _answered(post, account))
    is_aside = post.parent_author not in {"", account, post.author.ref} and account not in post.named and post.quoted_author != account
    if is_aside and post.parent == conversation and account in post.mentioned:
        # Somebody helps, or meddles, below what a customer wrote to us; X names us there because the customer did.
        return PublicThread(conversation, post.parent_author)
    return PublicThread(conversation, post.author.ref)


def _answered(post: Post, account: str) -> str:
    if post.parent_author not in {"", account}:
        return post.parent_author
    customer = next((one for one in post.addressed if one != account), "")
    if not post.parent or not customer:
        raise UnsupportedEvent("A post of this account that answers nobody; it was counted and left out.", detail="own post")
    return customer


def _is_adrift(post: Post) -> bool:
    return bool(post.parent) and not post.conversation
