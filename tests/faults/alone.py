"""The whole bridge in one process that can be told at which named fault points to die, and scenarios short enough to be played for each point."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import stage as stages
from tests.faults.drill import named_state
from tests.faults.processes import arm, context, enter
from tests.faults.stage import Stage, configuration, raised

_SECONDS = 90.0
_TIMES = {"lease_seconds": 1, "turn_seconds": 0.8, "settle_seconds": 0.3, "backoff_cap": 0.5, "reply_wait_seconds": 2}


_POLICY = """
# The private talk becomes formal at its second message: the ticket is changed and the customer is told; private replies go on.
[policy]
name = "faults"

[[policy.crossover]]
name = "second message"
when = "keyword"
any_of = ["q1.1"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One scenario: where its processes were told to die, how many did, and all that went wrong."""

    kills: tuple[str, ...]
    deaths: int
    problems: tuple[str, ...]
    points: tuple[str, ...]


def live(config: str, folder: str, faults: str) -> None:
    """What the child does: receive, split, work, poll and sweep, until it is killed."""
    enter(Path(folder) / "bridge.log")
    arm(faults, f"{folder}/points.txt")
    from plugin import bootstrap, log
    from plugin.cli.shared import Settings
    from plugin.domain.errors import StoreUnavailable
    from plugin.handlers.sweep import Sweeper
    from ui_extensions.rehearsal.serving import background, bind
    from webhooks.app import create_app
    from workers.loop import WorkLoop

    log.configure()
    settings = Settings(config).config
    bridge = bootstrap.build(settings, pool_size=6)
    bridge.register()
    nudged = threading.Event()
    wakeups = _Nudge(nudged)
    sweeper = Sweeper(bridge.installation, bridge.database, wakeups)
    with background(bind(lambda _: create_app(bridge, wakeups), port=settings.receiver.port)):
        while True:
            with contextlib.suppress(StoreUnavailable):
                if bridge.spool is not None and bridge.spool.size():
                    bridge.spool.import_into(bridge.database)
                sweeper.sweep()
            WorkLoop(bridge, threads=4, nudged=nudged).run(seconds=0.5, idle_seconds=0.1)


RACED = frozenset(f"call.find:{what}.{when}" for what in ("open_ticket", "add_article", "reply") for when in ("before", "after"))
"""Not passed when an echo brings what became of a lost answer before anybody looks for it."""
_MAKING = threading.Lock()


class _Nudge:
    def __init__(self, nudged: threading.Event) -> None:
        self._nudged = nudged

    def wake(self) -> None:
        self._nudged.set()


def play(folder: Path, database_url: str, kills: Sequence[str] = (), *, may_spare: bool = False) -> Played:
    """Play the scenario once. The first process dies at the first of `kills`, the next at the second; those after them live.

    `may_spare`: the second may find its work done already.
    """
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as exits:
        with _MAKING:  # Python 3.11 counts the depth of its parser for all threads together, and building routes parses.
            stage = exits.enter_context(raised())
        config = configuration(stage, folder, database=database_url, redis="unix:///nowhere", **_TIMES)
        with config.open("a", encoding="utf-8") as file:
            file.write(_POLICY)
        stage.open(2)
        _spoil(stage)
        with _kept_alive(config, folder, kills) as deaths:
            _wait_until_heard(stage.receiver_port, deaths)
            problems = _act(stage, database_url)
            died = len(deaths)
        problems += _check(stage, database_url, folder)
    points = folder / "points.txt"
    seen = dict.fromkeys(points.read_text().split()) if points.exists() else {}
    is_spared = died < len(kills) and kills[died].partition("=")[0] in RACED - seen.keys()
    if died < (min(1, len(kills)) if may_spare else len(kills)) and not is_spared:
        problems.append(f"died {died} times instead of {len(kills)}")
    return Played(kills=tuple(kills), deaths=died, problems=tuple(problems), points=tuple(seen))


def play_all(folder: Path, database: Any, plans: Sequence[Sequence[str]], *, at_once: int = 5, may_spare: bool = False) -> list[Played]:
    """Play many. `database` makes a fresh one for each."""

    def one(plan: Sequence[str]) -> Played:
        for _ in range(3):
            with database() as url:
                played = play(folder / uuid.uuid4().hex[:8], url, plan, may_spare=may_spare)
            if played.deaths or not plan:
                break  # Else a webhook brought what this point would have asked for: the process never came by.
        return played

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, plans))


def _spoil(stage: Stage) -> None:
    """Each kind of unclear outcome once, a webhook that never comes, and one that comes twice."""
    desk, network = stage.rehearsal.desk.faults, stage.rehearsal.network.faults
    desk.add("lose_answer", method="POST", path=r"/tickets$")
    desk.add("lose_answer", method="POST", path=r"/ticket_articles$", times=2)
    # In public there are replies alone; the private talk has the notice, which would be the first to lose its answer.
    network.add("lose_answer", method="POST", path=r"/posts$")
    network.add("drop_webhooks", path=r"message\.edited")
    network.add("duplicate_webhooks", path=r"post\.created", seconds=0.1)


@contextlib.contextmanager
def _kept_alive(config: Path, folder: Path, kills: Sequence[str]) -> Iterator[list[int]]:
    """A process that is started again whenever it died; the list grows with each death."""
    deaths: list[int] = []
    over = threading.Event()
    ours = context()

    def keep() -> None:
        while not over.is_set():
            faults = kills[len(deaths)] if len(deaths) < len(kills) else ""
            process = ours.Process(target=live, args=(str(config), str(folder), faults), daemon=True)
            process.start()
            while process.is_alive() and not over.is_set():
                process.join(0.05)
            if over.is_set():
                process.kill()
            else:
                deaths.append(process.exitcode or 0)
            process.join()
            process.close()

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield deaths
    finally:
        over.set()
        thread.join()


def _wait_until_heard(port: int, deaths: Sequence[int]) -> None:
    """Nobody speaks before the receiver listens, or on a busy machine polls alone would bring it all; a process that died before may be late."""
    until = time.monotonic() + _SECONDS
    while not deaths and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.02)


def _act(stage: Stage, database_url: str) -> list[str]:
    """A public thread with a file, an edit and a deletion; a private talk; an agent who answers both."""
    public, private = stage.conversations
    media = stage.network.upload(public.customer, "note.txt", "text/plain", b"what the file says")
    stage.write(public)
    stage.write(private)
    public.questions.append("q0.1")
    public.posts.append(stage.network.publish(public.customer, "q0.1", reply_to=public.posts[0].post_id, media=[media.media_id]))
    for said in (public, private):
        stage.write(said)
        stage.write(said)
    stage.edit(public, 2)
    stage.edit(private, 1)
    stage.delete(public, 3)
    # The echo of the reply whose answer is lost must not come by webhook, or nobody would have to look for it.
    stage.rehearsal.network.faults.add("drop_webhooks", path=r"\.created", times=4)
    # Nor must news of the ticket bring the article whose answer is lost before it is looked for.
    stage.rehearsal.desk.faults.add("drop_webhooks", times=4)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        stage.answer_new()
        count = stage.count()
        if count.is_complete and count.answered == 4 and not _is_busy(database_url):
            return []
        time.sleep(0.1)
    return [f"after {_SECONDS:.0f} s missing: {', '.join(stage.count().missing)} or still at work: {_is_busy(database_url)}"]


def _is_busy(database_url: str) -> int:
    import psycopg

    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM receipt WHERE state IN ('new', 'retry')) + (SELECT count(*) FROM inbound_event WHERE state IN ('accepted', 'retry')) "
            "+ (SELECT count(*) FROM intent WHERE state IN ('pending', 'sending', 'unknown'))"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _check(stage: Stage, database_url: str, folder: Path) -> list[str]:
    from plugin.store import ledger
    from plugin.store.database import Database

    count = stage.count()
    problems = [f"twice: {words}" for words in count.doubled] + [f"out of order: {words}" for words in count.reordered]
    database = Database(database_url, pool_size=1)
    with database.begin() as connection:
        balance = ledger.balance(connection)
    with database.begin() as connection:
        problems += [f"lost: {words} ({named_state(connection, words)})" for words in count.missing]
    database.dispose()
    if not balance.is_ok:
        problems.append(f"the ledger contradicts itself: {dict(balance.contradictions)}")
    problems += [f"{name} in the log" for name in stages.secrets_in((folder / "bridge.log").read_text(errors="replace"))]
    told = [post.text for post in stage.network.said_by(stage.network.company) if "have opened ticket" in post.text]
    if len(told) != 1:
        problems.append(f"the customer was told {len(told)} times of the handoff")
    files = stage.rehearsal.desk.desk.all(_stored_file())
    if len(files) != 1:
        problems.append(f"{len(files)} files in the desk instead of one")
    return problems


def _stored_file() -> Any:
    from ui_extensions.rehearsal.desk.rows import StoredFile

    return StoredFile
