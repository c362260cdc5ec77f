"""A customer's browser on the private page, without JavaScript: opens the link that stands in the thread, writes, and reads the answers."""

from __future__ import annotations

import html
import re

import requests

_ADDRESS = re.compile(r"https?://\S+/go/[\w-]{30,60}")
_WORD = re.compile(r'translate="no">([a-z-]+)<')
_FIELD = re.compile(r'name="(nonce|seal)" value="(\w+)"')
_SAID = re.compile(r'<li><span class="who">(?!You |Sie )[^<]*<time[^>]*>[^<]*</time></span>(.*?)</li>', re.DOTALL)


class PageVisitor:
    """One browser, which keeps its cookie."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._address = ""

    def open(self, said: str) -> str:
        """Follow the link in what was said and begin. The word that the page shows.

        Raises:
            RuntimeError: there is no link, or no word on its page.
        """
        found = _ADDRESS.search(said)
        if found is None:
            raise RuntimeError("Nothing of what the customer was told has a link to the private page.")
        self._address = found.group()
        begun = self._session.post(self._address, data={"act": "start"}, timeout=10)
        begun.raise_for_status()
        word = _WORD.search(begun.text)
        if word is None:
            raise RuntimeError("The private page shows no word to prove oneself with.")
        return word.group(1)

    def write(self, words: str) -> None:
        """Send one message."""
        fields = dict(_FIELD.findall(self._read()))
        self._session.post(self._address, data={"words": words, **fields}, timeout=10).raise_for_status()

    def answers(self) -> list[str]:
        """What our side said, oldest first."""
        return [html.unescape(words) for words in _SAID.findall(self._read())] if self._address else []

    def _read(self) -> str:
        answer = self._session.get(self._address, timeout=10)
        answer.raise_for_status()
        return answer.text
