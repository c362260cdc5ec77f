"""The rehearsal as `crossdesk run --rehearsal` has it: its own folder, secrets, ports and configuration, kept from one practice to the next."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugin.transport.client import Transport
from ui_extensions.panel.signing import relay_secret
from ui_extensions.rehearsal.app import ConsoleSignIn, create_rehearsal
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.relay import Relay
from ui_extensions.rehearsal.desk.webhooks import Endpoint
from ui_extensions.rehearsal.network.app import NetworkSettings
from ui_extensions.rehearsal.serving import background, bind

HOST = "127.0.0.1"
_USUAL_PORTS = {"receiver": 8010, "rehearsal": 8020}
_SECRETS = ("company_token", "network_secret", "bridge_token", "agent_token", "desk_secret", "control_token", "password")
PLAIN = """
# No rule crosses over by itself: a person hands over, from the panel beside the ticket. Ben may do what only supervisors may.
[policy]
name = "Practice"
groups = ["Users", "Social"]
"""
"""The policy of a rehearsal that is given no other."""
_SUPERVISOR = "ben@acme.example"
_ADMIN = ("Mia", "Brandt")
_PASSWORD_LENGTH = 12
_AGENTS = (("Ada", "Okafor"), ("Ben", "Lindqvist"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A prepared rehearsal. `url` is where people open it, `receiver_url` where the bridge listens for it."""

    folder: Path
    receiver_port: int
    port: int
    secrets: Mapping[str, str] = field(repr=False)
    groups: Sequence[str] = ()
    """Further groups of the practice desk, for a policy that names them."""

    @property
    def url(self) -> str:
        """The rehearsal's own address."""
        return f"http://{HOST}:{self.port}"

    @property
    def receiver_url(self) -> str:
        """Where the network's and the desk's webhooks go."""
        return f"http://{HOST}:{self.receiver_port}"

    @property
    def console(self) -> ConsoleSignIn:
        """How the console is opened."""
        login = f"{_ADMIN[0].lower()}@acme.example"
        return ConsoleSignIn(url=f"{self.receiver_url}/console/", login=login, password=self.secrets["password"][:_PASSWORD_LENGTH])

    def serve(self, ready: Callable[[], None]) -> None:
        """Serve network and desk until the process is told to stop."""
        import signal

        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        rehearsal = create_rehearsal(self.network_settings(), self.desk_settings(), base_url=self.url, console=self.console)
        with background(bind(lambda _: rehearsal, host=HOST, port=self.port)):
            ready()
            stopping.wait()
        rehearsal.stop()

    def network_settings(self) -> NetworkSettings:
        """The practice network's side."""
        return NetworkSettings(
            token=self.secrets["company_token"],
            webhook_url=f"{self.receiver_url}/in/channel/practice",
            webhook_secret=self.secrets["network_secret"],
            control_token=self.secrets["control_token"],
            folder=self.folder / "network",
        )

    def desk_settings(self) -> DeskSettings:
        """The practice desk's side."""
        staff = tuple(
            Staff(login=f"{first.lower()}@acme.example", token=f"{self.secrets['agent_token']}{number}", firstname=first, lastname=last)
            for number, (first, last) in enumerate(_AGENTS)
        )
        first, last = _ADMIN
        admin = Staff(
            login=self.console.login,
            token=f"{self.secrets['agent_token']}-admin",
            firstname=first,
            lastname=last,
            role="admin",
            password=self.console.password,
        )
        return DeskSettings(
            bridge=Staff(login="crossdesk@acme.example", token=self.secrets["bridge_token"], firstname="Crossdesk"),
            staff=(*staff, admin),
            webhook=Endpoint(url=f"{self.receiver_url}/in/helpdesk/desk", token=self.secrets["desk_secret"], base_url=f"{self.url}/desk"),
            control_token=self.secrets["control_token"],
            groups=("Users", "Social", *(group for group in self.groups if group not in {"Users", "Social"})),
            file=self.folder / "desk.sqlite",
            version="6.2.0-practice",
            relay=Relay(
                url=self.receiver_url,
                helpdesk="desk",
                secret=relay_secret(self.secrets["key"], "desk"),
                http=Transport().client(name="the bridge"),
                supervisors=(_SUPERVISOR,),
            ),
        )


def prepare(folder: Path, *, policy: str = "", groups: Sequence[str] = ()) -> Practice:
    """The rehearsal of `folder`: made on first use, the same ever after, unless another program took its ports.

    `policy` is appended to its configuration; `groups` are the desk's groups that it names.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = _kept(folder / "practice.json")
    practice = Practice(
        folder=folder,
        receiver_port=_port(int(kept.get("receiver_port", _USUAL_PORTS["receiver"]))),
        port=_port(int(kept.get("port", _USUAL_PORTS["rehearsal"]))),
        secrets={name: kept.get(name) or secrets.token_urlsafe(24) for name in _SECRETS} | {"key": kept.get("key") or _new_key()},
        groups=tuple(groups),
    )
    _write(folder / "practice.json", json.dumps({"receiver_port": practice.receiver_port, "port": practice.port, **practice.secrets}))
    _write(folder / "crossdesk.toml", _configuration(practice) + policy)
    return practice


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _kept(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _write(path: Path, content: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)


def _port(wanted: int) -> int:
    """`wanted` if it is free, else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no port is free on {HOST}")


def _configuration(practice: Practice) -> str:
    known = practice.secrets
    return f"""# Written by `crossdesk rehearse`. The practice network and desk take the place of a platform and a Zammad.
[crossdesk]
public_url = "{practice.receiver_url}"
data_dir = "{practice.folder / "data"}"

[secrets]
keys = ["{known["key"]}"]

[receiver]
port = {practice.receiver_port}

[engine]
# Practice must not wait for what real servers may take.
settle_seconds = "2 s"
# A drill answers faster than people do.
loop_turns = 1000

[console]
# The practice desk's own staff; its front page says with which login and password.
admins = ["Admin"]
supervisors = ["Agent"]

[helpdesk.desk]
kind = "zammad"
url = "{practice.url}/desk"
group = "Social"
token = "{known["bridge_token"]}"
webhook_token = "{known["desk_secret"]}"
poll_seconds = 5

[channel.practice]
platform = "rehearsal"
url = "{practice.url}/network"
token = "{known["company_token"]}"
webhook_secret = "{known["network_secret"]}"
"""
