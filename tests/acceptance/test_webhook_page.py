"""docs/webhook-channel.md as its reader uses it: every shell example, as it stands, against a running receiver."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg

from plugin.contracts.http import WebhookRequest
from plugin.domain.events import MessageReceived
from plugin.platforms.webhook.adapter import PLATFORM
from plugin.testing.fixtures import load
from plugin.testing.tables import folder_of
from tests.acceptance.sections import free_address, servers_section
from tests.bridge import ROOT, Bridge
from tests.fixtures import package

EXAMPLES = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "webhook-channel.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
RECEIVE, SEND = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"r", b"s"))


def configuration(port: int, url: str, servers: str) -> str:
    return f"""
[crossdesk]
public_url = "{url}"

[receiver]
port = {port}
{servers}
[helpdesk.rt]
kind = "rt"
url = "http://127.0.0.1:9"
user = "crossdesk"
password = "no-one-asks-it"
queue = "Social"
webhook_secret = "nobody-calls-either-0001"

[channel.comments]
platform = "webhook"
url = "http://127.0.0.1:9/crossdesk"
receive_secret = "{RECEIVE}"
send_secret = "{SEND}"
"""


def run(script: str, channel: str, secret: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "CHANNEL": channel, "RECEIVE_SECRET": secret}
    return subprocess.run(["bash", "-eu", "-c", script], env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_the_page_s_examples_work_as_they_stand(tmp_path: Path, database_url: str, redis_url: str) -> None:
    if not (shutil.which("curl") and shutil.which("openssl")):
        package("curl", "openssl")
    port, url = free_address()
    channel = f"{url}/in/channel/comments"
    with Bridge(tmp_path / "bridge", configuration(port, url, servers_section(database_url, redis_url)), processes=("serve",)):
        done = run("\n".join(EXAMPLES), channel, RECEIVE)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "{}" * 7
        forged = run("\n".join(EXAMPLES[:2]), channel, SEND)
        assert (forged.returncode, "signature" in forged.stdout) == (22, True)
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        bodies = [bytes(body) for (body,) in connection.execute("SELECT body FROM receipt ORDER BY id")]
    adapter = load(PLATFORM, folder_of(PLATFORM)).connect()
    told = [adapter.parse(WebhookRequest(method="POST", path="", headers={}, query={}, body=body))[0] for body in bodies]
    assert [type(event).__name__ for event in told] == [
        "MessageReceived",
        "MessageReceived",
        "MessageEdited",
        "MessageDeleted",
        "ReactionChanged",
        "DeliveryUpdated",
        "ContactReachability",
    ]
    assert not any(getattr(event, "remarks", ()) for event in told)
    with_files = told[1]
    assert isinstance(with_files, MessageReceived)
    assert [attachment.filename for attachment in with_files.attachments] == ["note.txt", "4711.jpg"]
