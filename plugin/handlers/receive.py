"""The receipt path: the only code between a platform's delivery and its 2xx. Verifies, commits the raw body, and nothing else.

Deliveries that arrive together are committed together (group commit): whoever finds the commit free takes everybody's receipts along.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import AnswersChallenge, ProvesByPath
from plugin.contracts.wakeups import WakeUps
from plugin.domain.errors import StoreUnavailable
from plugin.domain.ids import Place
from plugin.faults import point
from plugin.handlers.installation import Installation
from plugin.store import receipts
from plugin.store.database import Database
from plugin.store.receipts import NewReceipt
from plugin.store.spool import Spool

_WITHHELD_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-telegram-bot-api-secret-token"})
_WAKE_PAUSE = 0.005
"""Seconds between two wake-ups: under load most commits need none of their own."""
_WITHHELD_QUERY = frozenset({"access_token", "token", "secret"})


class Receiver:
    """Receives for an installation. One instance serves all threads of a process."""

    def __init__(self, installation: Installation, database: Database, wakeups: WakeUps, spool: Spool | None) -> None:
        self._installation = installation
        self._challenged: dict[Place, tuple[object, AnswersChallenge | None]] = {}
        self._waker = Waker(wakeups)
        self._spool = spool
        self._commits = GroupCommit(lambda batch: self._commit(database, batch))

    def receive(self, place: Place, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer a handshake, or keep a delivery: None means it is safe and deserves its 2xx.

        Raises:
            SignatureInvalid: it is not from there; nothing was kept.
            StoreUnavailable: neither the database nor the spool can take it; the sender must come again.
        """
        adapter = self._installation.adapter(place)
        challenged = self._challenge_of(place, adapter)
        if challenged is not None:
            answer = challenged.answer(request)
            if answer is not None:
                return answer
        adapter.verify(request)
        point("receive.before_commit")
        # Most addresses end with the place, and asking a protocol costs as much as a signature.
        path = adapter.path_without_proof(request.path) if request.path and isinstance(adapter, ProvesByPath) else request.path
        receipt = _receipt(place, request, path)
        try:
            self._commits.submit(receipt)
        except StoreUnavailable:
            if self._spool is None:
                raise
            self._spool.keep(receipt)
        point("receive.after_commit")
        return None

    def _challenge_of(self, place: Place, adapter: object) -> AnswersChallenge | None:
        """Asking a protocol costs as much as a signature: once for each adapter is enough."""
        known = self._challenged.get(place)
        if known is None or known[0] is not adapter:
            known = self._challenged[place] = (adapter, adapter if isinstance(adapter, AnswersChallenge) else None)
        return known[1]

    def _commit(self, database: Database, batch: Sequence[NewReceipt]) -> None:
        with database.single() as connection:
            receipts.insert(connection, batch)
        self._waker.wake()


def _receipt(place: Place, request: WebhookRequest, path: str) -> NewReceipt:
    """What is kept: everything but what proves the sender, which is checked now and never needed again."""
    return NewReceipt(
        place=place,
        method=request.method,
        path=path,
        query={name: value for name, value in request.query.items() if name.lower() not in _WITHHELD_QUERY},
        headers={name: value for name, value in request.headers.items() if name not in _WITHHELD_HEADERS},
        body=request.body,
    )


class Waker:
    """Wakes the workers from a thread of its own: an answer never waits for Redis, and commits that come close together are one wake-up.

    Make it in the process that uses it. Who dies before waking loses nothing: the sweeper finds the work.
    """

    def __init__(self, wakeups: WakeUps) -> None:
        self._wakeups = wakeups
        self._has_news = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have the workers told, soon."""
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()
        self._has_news.set()

    def _run(self) -> None:
        while True:
            self._has_news.wait()
            self._has_news.clear()
            point("receive.before_wake")
            self._wakeups.wake()
            time.sleep(_WAKE_PAUSE)


class _Entry:
    """A receipt on its way. `gate` opens when it is done, or when it is its thread's turn to commit for all that wait."""

    __slots__ = ("error", "gate", "is_done", "receipt")

    def __init__(self, receipt: NewReceipt) -> None:
        self.receipt = receipt
        self.is_done = False
        self.error: BaseException | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit:
    """Many threads, few commits. `commit` takes a batch and raises for all of it or none."""

    def __init__(self, commit: Callable[[Sequence[NewReceipt]], None], *, most: int = 256) -> None:
        self._commit = commit
        self._most = most
        self._waiting: list[_Entry] = []
        self._queue = threading.Lock()
        self._is_led = False

    def submit(self, receipt: NewReceipt) -> None:
        """Return when the receipt is committed.

        Raises:
            StoreUnavailable: it is not known to be.
        """
        entry = _Entry(receipt)
        with self._queue:
            self._waiting.append(entry)
            leads, self._is_led = not self._is_led, True
        if not leads:
            entry.gate.acquire()
        if not entry.is_done:
            self._lead()
        if entry.error is not None:
            raise entry.error

    def _lead(self) -> None:
        """Commit what waits, this thread's own receipt first in line, and pass the lead on."""
        with self._queue:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            self._commit([entry.receipt for entry in batch])
        except BaseException as error:  # noqa: BLE001 - everyone in the batch must learn of it
            for entry in batch:
                entry.error = error
        for entry in batch:
            entry.is_done = True
        with self._queue:
            self._is_led = bool(self._waiting)
            heir = self._waiting[0] if self._waiting else None
        for entry in batch if heir is None else [heir, *batch]:
            entry.gate.release()
