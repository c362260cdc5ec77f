"""What Facebook and Instagram do alike to a comment: delete, hide, show again. Source: Graph API, "Comment"."""

from __future__ import annotations

from contextlib import suppress

from plugin.domain.errors import TargetGone
from plugin.domain.ids import MessageRef
from plugin.platforms._graph.client import Graph, require_success, segment


def take_back(graph: Graph, ref: MessageRef) -> None:
    """Delete a comment of ours. One that is gone already is success."""
    with suppress(TargetGone):
        require_success(graph.write(f"/{segment(ref)}", method="DELETE"))


def hide(graph: Graph, ref: MessageRef, *, field: str, is_hidden: bool) -> None:
    """Hide a comment, or show it again; the two platforms call the field differently. To hide one that is gone is success."""
    try:
        require_success(graph.settle(f"/{segment(ref)}", {field: is_hidden}))
    except TargetGone:
        if not is_hidden:
            raise
