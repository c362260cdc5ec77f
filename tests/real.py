"""`make run-real`: the bridge between a real Matrix homeserver and a real Request Tracker, to try by hand.

`python -m tests.real` runs all three until Ctrl-C; `... say "words"` writes as the customer and `... read` shows what stands in the room.
Nothing is left behind but Debian's packages of Request Tracker, which the first run installs.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.acceptance.sections import matrix_section, rt_section
from tests.bridge import ROOT, Bridge
from tests.matrix_customer import Customer
from tests.rt_agent import RtAgent
from tests.servers import registry, rt, synapse
from tests.waiting import eventually

_PLACE = ROOT / ".crossdesk"
_STATE = _PLACE / "real.json"
_FIRST_WORDS = "Hello, my parcel 4711 has not come yet. Where is it?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What runs now."""

    bridge: Bridge
    desk: dict[str, Any]
    homeserver: dict[str, Any]
    bot: str
    customer: Customer
    room: str
    ticket: str


def main() -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.real", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("say", help="write as the customer").add_argument("words", nargs="+")
    commands.add_parser("read", help="show what stands in the room")
    given = parser.parse_args()
    if given.command is None:
        return _run()
    try:
        state = json.loads(_STATE.read_text())
        customer = Customer(state["homeserver"], session=state["session"])
        if given.command == "say":
            customer.send(state["room"], " ".join(given.words))
        _show(customer, state["room"], state["bot"])
        customer.close()
    except (FileNotFoundError, requests.ConnectionError):
        print("Nothing is running: start it with `make run-real` in another terminal, and wait for its addresses.", file=sys.stderr)
        return 1
    return 0


def _run() -> int:
    _PLACE.mkdir(exist_ok=True)
    with (_PLACE / "real.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("It is running already, in another terminal: see there for its addresses.", file=sys.stderr)
            return 1
        _clear_up_after_a_kill()
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: _stop(stopping))
        try:
            with _folder() as folder, _scene(folder) as scene:
                _greet(scene)
                while not stopping.wait(1.0):
                    if not scene.bridge.is_running:
                        print(f"The bridge ended by itself. Its last words:\n{scene.bridge.log}", file=sys.stderr)
                        return 1
        except registry.Missing as missing:
            print(
                f"This cannot run here: it needs {missing}. As root, or where sudo asks for no password, they are installed by themselves;\n"
                "else install them, then run this again. `make run` needs none of it.",
                file=sys.stderr,
            )
            return 1
        except _Stopped:
            print("Stopped before everything ran; nothing is left running.")
        return 0


class _Stopped(BaseException):
    """Ctrl-C while things are being started."""


def _stop(stopping: threading.Event) -> None:
    if stopping.is_set():
        return
    stopping.set()
    if not _STATE.exists():
        raise _Stopped
    print("\nstopping ...", flush=True)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """The folder of this run. When it is left, every server is stopped and the folder is gone."""
    folder = Path(tempfile.mkdtemp(prefix="crossdesk-real-"))
    (_PLACE / "real.folder").write_text(str(folder))
    os.environ[registry.RUN_FOLDER] = str(folder)
    try:
        yield folder
    finally:
        _STATE.unlink(missing_ok=True)
        registry.stop_all(folder)
        _end_processes_in(folder)
        shutil.rmtree(folder, ignore_errors=True)
        (_PLACE / "real.folder").unlink(missing_ok=True)


@contextlib.contextmanager
def _scene(folder: Path) -> Iterator[_Scene]:
    """Everything running, with a conversation begun."""
    print("starting Request Tracker (the first time, Debian's packages are installed: some minutes) ...", flush=True)
    desk = registry.running("rt", rt.start)
    print("starting Synapse, the Matrix homeserver ...", flush=True)
    homeserver = registry.running("synapse", synapse.start)
    print("starting the bridge ...", flush=True)
    with synapse.appservice(homeserver) as bot:
        url = f"http://127.0.0.1:{bot['port']}"
        configuration = f'[crossdesk]\npublic_url = "{url}"\ndata_dir = "data"\n[receiver]\nport = {bot["port"]}\n'
        configuration += rt_section(desk) + matrix_section(bot["settings"])
        name = bot["settings"]["user_id"]
        with rt.hooks_to(desk, f"{url}/in/helpdesk/rt"), Bridge(folder / "bridge", configuration) as bridge:
            customer = Customer(homeserver, "lena")
            try:
                room = customer.create_room(name)
                eventually(lambda: name in customer.members(room), seconds=60)
                customer.send(room, _FIRST_WORDS)
                ticket = eventually(lambda: RtAgent(desk).tickets("parcel 4711"), seconds=60)[0]
                scene = _Scene(bridge=bridge, desk=desk, homeserver=homeserver, bot=name, customer=customer, room=room, ticket=ticket)
                _keep(scene)
                yield scene
            finally:
                customer.close()


def _keep(scene: _Scene) -> None:
    """Let the other commands find the room; readable for us alone."""
    state = {"homeserver": {"url": scene.homeserver["url"]}, "session": scene.customer.session, "room": scene.room, "bot": scene.bot}
    with os.fdopen(os.open(_STATE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)


def _greet(scene: _Scene) -> None:
    python = Path(sys.executable)
    shown = python.relative_to(ROOT) if python.is_relative_to(ROOT) else python
    url, session = scene.homeserver["url"], scene.customer.session
    print(
        f"""
A customer has written in Matrix, and their message is a ticket now.

  The agent        {scene.desk["url"]}/Ticket/Display.html?id={scene.ticket}
                   user {scene.desk["agent"]}, password {scene.desk["agent_password"]} (admin: root, {scene.desk["root_password"]})
                   Press Reply to answer the customer; Comment stays in the helpdesk.

  The customer     {session["user_id"]}
  writes           {shown} -m tests.real say "It has come, thank you!"
  reads            {shown} -m tests.real read

  The homeserver   {url}
  in plain HTTP    curl -H 'Authorization: Bearer {session["access_token"]}' \\
                     '{url}/_matrix/client/v3/rooms/{scene.room}/messages?dir=b&limit=5'

  The bridge       {scene.bridge.url}/readyz and {scene.bridge.url}/metrics
  its ledger       {shown} -m plugin.cli --config {scene.bridge.file} ledger check

Ctrl-C ends everything and leaves nothing behind.
""",
        flush=True,
    )


def _show(customer: Customer, room: str, bot: str) -> None:
    for event in customer.messages(room):
        at = datetime.fromtimestamp(event["origin_server_ts"] / 1000, tz=UTC).astimezone()
        who = "company " if event["sender"] == bot else "customer"
        print(f"{at:%H:%M:%S}  {who}  {event['content'].get('body', '(deleted)')}")


def _clear_up_after_a_kill() -> None:
    """A run that was killed could not stop its servers."""
    note = _PLACE / "real.folder"
    if note.exists():
        folder = Path(note.read_text())
        _end_processes_in(folder)
        shutil.rmtree(folder, ignore_errors=True)
        note.unlink()
    _STATE.unlink(missing_ok=True)


def _end_processes_in(folder: Path) -> None:
    """End what still works in the folder; nothing of anybody else's does."""
    for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        until = time.monotonic() + seconds
        found = _processes_in(folder)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while found and time.monotonic() < until:
            time.sleep(0.1)
            found = _processes_in(folder)


def _processes_in(folder: Path) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (place / "cwd").readlink().is_relative_to(folder):
                found.append(int(place.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
