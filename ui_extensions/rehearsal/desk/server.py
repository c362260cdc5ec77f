"""Serves a desk from threads of this process: for tests and the fault harness."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Parts, create_desk
from ui_extensions.rehearsal.serving import background, bind


class DeskServer:
    """A desk that listens on loopback. Use as a context manager; `parts` gives the switches."""

    def __init__(self, settings: DeskSettings, *, port: int = 0) -> None:
        self.app = create_desk(settings)
        self.parts: Parts = self.app.extensions[EXTENSION]
        self._server = bind(lambda _url: self.app, port=port)
        self._running = ExitStack()

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://{self._server.host}:{self._server.port}"

    def __enter__(self) -> Self:
        self._running.enter_context(background(self._server))
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._running.close()
        self.parts.stop()
