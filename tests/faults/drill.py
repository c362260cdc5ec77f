"""The random run: people write and answer while processes die, freeze and come back, servers vanish and the other sides misbehave.

Everything that is thrown is drawn from one seed: the same seed gives the same writing and the same faults in the same order.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from plugin.cli.running import migrate
from plugin.domain.errors import StoreUnavailable
from plugin.store import ledger
from plugin.store.database import Database
from tests.faults.processes import Bridge, Servers
from tests.faults.stage import Count, Said, Stage, configuration, raised, secrets_in

_REMOTE = {
    "lose_answer": 0.0,
    "stall": 2.5,
    "late": 0.5,
    "error_after": 0.0,
    "unavailable": 0.0,
    "rate_limited": 1.0,
    "down": 0.0,
}
_WEBHOOKS = {"drop_webhooks": 0.0, "duplicate_webhooks": 0.3, "delay_webhooks": 0.5}
_WEIGHTS = {
    "kill horse": 12,
    "kill worker": 10,
    "kill receiver": 8,
    "kill sweeper": 4,
    "freeze horse": 6,
    "freeze horse past its lease": 4,
    "freeze receiver": 4,
    "freeze worker": 3,
    "kill everything": 3,
    "kill redis": 4,
    "flush redis": 6,
    "kill database": 4,
    "desk": 20,
    "network": 20,
    "webhooks": 10,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: `at` is the share of the run after which it is thrown; `dice` decides on whom."""

    at: float
    kind: str
    dice: float
    how: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run came to."""

    seed: int
    events: int
    faults: Counter[str]
    count: Count
    named: dict[str, str]
    lost: tuple[str, ...]
    twins: int
    restarts: int
    seconds: float
    contradictions: dict[str, Any]
    leaks: tuple[str, ...]
    balance: Any = field(repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether nothing was lost, doubled in silence or put out of order, the counts hold and no log tells a secret."""
        is_whole = not self.lost and not self.count.reordered and not self.contradictions and not self.leaks
        return is_whole and len(self.count.doubled) <= self.twins and bool(self.balance.is_ok)

    def sentence(self) -> str:
        """All of it for people."""
        return (
            f"seed {self.seed}: {self.events} events, {self.faults.total()} faults {dict(self.faults)}, {self.restarts} restarts, "
            f"{self.seconds:.0f} s; filed {self.count.filed} of {self.count.written}, delivered {self.count.delivered} of {self.count.answered}; "
            f"lost {list(self.lost)}, named states {self.named}, doubled {list(self.count.doubled)} (told: {self.twins}), "
            f"reordered {list(self.count.reordered)}, contradictions {self.contradictions}, secrets in logs {list(self.leaks)}, "
            f"ledger {self.balance.fates} {self.balance.reasons}"
        )


def draw(seed: int, faults: int) -> list[Fault]:
    """The faults of a run in their order."""
    dice = random.Random(seed)
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    drawn = []
    for number in range(faults):
        kind = dice.choices(kinds, weights)[0]
        how = dice.choice(list(_WEBHOOKS if kind == "webhooks" else _REMOTE)) if kind in {"desk", "network", "webhooks"} else ""
        drawn.append(Fault(at=(number + dice.random()) / faults, kind=kind, dice=dice.random(), how=how, times=dice.randint(1, 3)))
    return drawn


def run(
    folder: Path, *, events: int, faults: int, seconds: float, seed: int, conversations: int = 12, tell: Callable[[str], Any] = print
) -> Report:
    """Play it. Needs the calling thread for the servers, which end with it."""
    began = time.monotonic()
    tell(f"faults: seed {seed} (again with: python -m tests.faults --seed {seed} --events {events} --faults {faults})")
    servers = Servers(folder)
    try:
        with raised() as stage:
            config = configuration(stage, folder, database=servers.postgres.url, redis=servers.valkey.url)
            migrate(load(config))
            stage.open(conversations)
            with Bridge(config, folder) as bridge:
                _wait_for_first_polls(servers)
                thrown = _play(stage, bridge, servers, events=events, drawn=draw(seed, faults), seconds=seconds, seed=seed)
                count = _settle(stage, bridge, servers, patience=60 + seconds / 4)
                restarts = bridge.restarts
            return _report(stage, servers, folder, count, seed=seed, faults=thrown, restarts=restarts, began=began)
    finally:
        servers.stop()


def load(path: Path) -> Any:
    """The checked configuration."""
    from plugin.cli.shared import Settings

    return Settings(path).config


def _play(stage: Stage, bridge: Bridge, servers: Servers, *, events: int, drawn: list[Fault], seconds: float, seed: int) -> Counter[str]:
    over = threading.Event()
    problems: list[Exception] = []

    def guarded(work: Callable[[], None]) -> threading.Thread:
        def body() -> None:
            try:
                work()
            except Exception as problem:  # noqa: BLE001 - told by the thread that waits
                problems.append(problem)

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    people = [
        guarded(lambda: _write(stage, random.Random(seed + 1), events=events, seconds=seconds)),
        guarded(lambda: _answer(stage, over)),
    ]
    thrown: Counter[str] = Counter()
    began = time.monotonic()
    for fault in drawn:
        time.sleep(max(0.0, began + fault.at * seconds - time.monotonic()))
        throw(fault, stage, bridge, servers)
        thrown[f"{fault.kind} {fault.how}".strip()] += 1
    people[0].join()
    over.set()
    people[1].join()
    if problems:
        raise problems[0]
    return thrown


def _write(stage: Stage, dice: random.Random, *, events: int, seconds: float) -> None:
    """Customers write about two thirds of the events; the agent's answers are the rest."""
    wanted = round(events / 1.42)
    began = time.monotonic()
    for number in range(wanted):
        time.sleep(max(0.0, began + number * seconds / wanted - time.monotonic()))
        said = dice.choice(stage.conversations)
        share = dice.random()
        index = _changeable(said, dice)
        if share < 0.85 or index is None:
            stage.write(said)
        elif share < 0.95:
            stage.edit(said, index)
        else:
            stage.delete(said, index)


def _changeable(said: Said, dice: random.Random) -> int | None:
    """Something that still stands; never the first post, on which the thread hangs, nor what was just said and may be answered now."""
    known = [index for index in range(1, len(said.posts) - 3) if f"q{said.number}.{index}" not in said.deleted]
    return dice.choice(known) if known else None


def _answer(stage: Stage, over: threading.Event) -> None:
    while not over.is_set():
        stage.answer_new()
        over.wait(0.1)


def throw(fault: Fault, stage: Stage, bridge: Bridge, servers: Servers) -> None:
    """Throw one fault; returns when what must come back has been started again."""
    worker = "worker-1" if fault.dice < 0.5 else "worker-2"
    match fault.kind:
        case "kill horse":
            bridge.strike(bridge.below(worker) or bridge.below("worker-1") or bridge.below("worker-2"), signal.SIGKILL)
        case "kill worker":
            bridge.strike([bridge.pid(worker)], signal.SIGKILL)
        case "kill receiver":
            bridge.strike([*bridge.below("receiver"), bridge.pid("receiver")], signal.SIGKILL)
        case "kill sweeper":
            bridge.strike([bridge.pid("sweeper")], signal.SIGKILL)
        case "freeze horse" | "freeze horse past its lease":
            pids = bridge.below(worker) or bridge.below("worker-1") or bridge.below("worker-2")
            with bridge.frozen(pids):
                time.sleep(0.4 + fault.dice / 2 if fault.kind == "freeze horse" else 2.3 + fault.dice)
        case "freeze receiver":
            with bridge.frozen(bridge.below("receiver")):
                time.sleep(0.3 + fault.dice / 2)
        case "freeze worker":
            with bridge.frozen([bridge.pid(worker)]):
                time.sleep(0.3 + fault.dice)
        case "kill everything":
            servers.kill_postgres()
            servers.kill_valkey()
            bridge.strike(bridge.everyone(), signal.SIGKILL)
            servers.start_postgres()
            servers.start_valkey()
        case "kill redis":
            servers.kill_valkey()
            time.sleep(0.3 + fault.dice)
            servers.start_valkey()
        case "flush redis":
            with redis.Redis.from_url(servers.valkey.url) as client:
                client.flushall()
        case "kill database":
            servers.kill_postgres()
            time.sleep(fault.dice)
            servers.start_postgres()
        case "desk":
            stage.rehearsal.desk.faults.add(fault.how, times=fault.times, seconds=_REMOTE[fault.how])
        case "network":
            stage.rehearsal.network.faults.add(fault.how, times=fault.times, seconds=_REMOTE[fault.how])
        case "webhooks":
            stage.rehearsal.network.faults.add(fault.how, times=fault.times, seconds=_WEBHOOKS[fault.how])
            if fault.how == "drop_webhooks":
                stage.rehearsal.desk.faults.add(fault.how, times=fault.times)


def _wait_for_first_polls(servers: Servers) -> None:
    """A channel's first poll takes the newest page alone; what was said before that was said before Crossdesk was there."""
    from sqlalchemy import text

    database, until = Database(servers.postgres.url, pool_size=1), time.monotonic() + 60
    is_done = False
    while not is_done and time.monotonic() < until:
        time.sleep(0.2)
        with database.begin() as connection:
            polled = connection.execute(text("SELECT last_ok_at IS NOT NULL FROM cursor WHERE task = 'poll'")).scalars().all()
        is_done = bool(polled) and all(polled)
    database.dispose()


def _settle(stage: Stage, bridge: Bridge, servers: Servers, *, patience: float) -> Count:
    """No more faults: wait until all is there, then until nothing comes any more. A long run on a busy machine leaves much to work off."""
    stage.rehearsal.desk.faults.clear()
    stage.rehearsal.network.faults.clear()
    until = time.monotonic() + patience
    last_seen, since = None, time.monotonic()
    database = Database(servers.postgres.url, pool_size=1)
    while time.monotonic() < until:
        stage.answer_new()
        count = stage.count()
        seen = (count.filed, count.delivered, len(count.doubled), open_work(database))
        if seen != last_seen:
            last_seen, since = seen, time.monotonic()
        quiet = time.monotonic() - since
        if (count.is_complete and not seen[3] and quiet > 1.0) or quiet > 25.0:
            break
        time.sleep(0.2)
    database.dispose()
    return stage.count()


def open_work(database: Database) -> int:
    """How much the workers still have to do; -1 while the database is away."""
    from sqlalchemy import text

    try:
        with database.begin() as connection:
            return int(
                connection.execute(
                    text(
                        "SELECT (SELECT count(*) FROM receipt WHERE state IN ('new', 'retry')) + (SELECT count(*) FROM inbound_event WHERE state IN "
                        "('accepted', 'retry')) + (SELECT count(*) FROM intent WHERE state IN ('pending', 'sending', 'unknown'))"
                    )
                ).scalar_one()
            )
    except StoreUnavailable:
        return -1


_FATE_OF = """
    SELECT e.id, e.state, e.reason, i.state AS wish, i.reason AS why FROM inbound_event e LEFT JOIN intent i ON i.event_id = e.id
    WHERE e.payload::text ~ :words ORDER BY i.state IN ('failed', 'held', 'quarantined', 'unknown') DESC NULLS LAST LIMIT 1
"""
_NAMED = frozenset({"held", "quarantined", "failed"})


def named_state(connection: Any, words: str) -> str | None:
    """The named, visible state in which the ledger has something that one side lacks; None: it is lost."""
    from sqlalchemy import text

    row = connection.execute(text(_FATE_OF), {"words": f"\\m{words.replace('.', chr(92) + '.')}\\M"}).one_or_none()
    if row is None:
        return None
    if row.wish in _NAMED:
        return f"{row.wish}: {row.why}"
    return f"{row.state}: {row.reason}" if row.state == "quarantined" else None


def _report(
    stage: Stage, servers: Servers, folder: Path, count: Count, *, seed: int, faults: Counter[str], restarts: int, began: float
) -> Report:
    from sqlalchemy import text

    database = Database(servers.postgres.url, pool_size=1)
    with database.begin() as connection:
        balance = ledger.balance(connection)
    with database.begin() as connection:
        named = {words: state for words in count.missing if (state := named_state(connection, words)) is not None}
        twins = connection.execute(text("SELECT count(*) FROM alert WHERE code LIKE 'twin:%'")).scalar_one()
    database.dispose()
    leaks = [f"{log.name}: {name}" for log in folder.rglob("*.log") for name in secrets_in(log.read_text(errors="replace"))]
    return Report(
        seed=seed,
        events=sum(len(said.questions) + len(said.edits) + len(said.deleted) + len(said.answers) for said in stage.conversations),
        faults=faults,
        count=count,
        named=named,
        lost=tuple(words for words in count.missing if words not in named),
        twins=twins,
        restarts=restarts,
        seconds=time.monotonic() - began,
        contradictions=dict(balance.contradictions),
        leaks=tuple(leaks),
        balance=balance,
    )
