"""The fake network with a stream: whoever listens is told that something was said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from plugin.domain.events import MessageReceived
from plugin.testing.fake_platform import FakePlatform


class AudibleNetwork(FakePlatform):
    """Calls out whenever somebody says something. `troubles` befall the next calls of `hear`, one each; without any the stream holds."""

    def __init__(self, *, poll_seconds: float = 3600.0) -> None:
        super().__init__()
        self.poll_seconds = poll_seconds
        self.troubles: list[Exception] = []
        self.calls = 0
        """How often somebody began to listen."""
        self.listeners = 0
        """How many listen now."""
        self._changed = threading.Condition()
        self._said = 0

    def say(self, who: str, words: str, **how: Any) -> MessageReceived:
        """As before, and out loud."""
        said = super().say(who, words, **how)
        self.call_out()
        return said

    def call_out(self) -> None:
        """Tell everybody that there is news."""
        with self._changed:
            self._said += 1
            self._changed.notify_all()

    def hear(self, on_news: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """As `HearsNews.hear`."""
        with self._changed:
            self.calls += 1
            if self.troubles:
                raise self.troubles.pop(0)
            self.listeners += 1
            heard = self._said
            try:
                while not is_over():
                    if heard != self._said:
                        heard = self._said
                        on_news()
                    self._changed.wait(0.05)
            finally:
                self.listeners -= 1
