"""How X measures texts: by twitter-text-parser, as its own composer does. Independent of what the adapter makes of it."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks setuptools for its table of emoji in a way that is going out of use
    from twitter_text import extract_urls, parse_tweet


def weight(text: str) -> int:
    """A text's length by X's count."""
    return int(parse_tweet(text).weightedLength) if text else 0


def links(text: str) -> list[str]:
    """What X makes links of, in their order."""
    return list(dict.fromkeys(extract_urls(text)))
