"""What is captured can be read back as a request fixture."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

from plugin.testing.capture import Capture


def test_a_delivery_becomes_a_fixture_and_a_handshake_its_echo(tmp_path: Path) -> None:
    with Capture(tmp_path, prefix="/in/channel/mine", echo="hub.challenge") as capture:
        thread = threading.Thread(target=capture.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{capture.server_port}/in/channel/mine"
        signed = urllib.request.Request(f"{url}/hook?a=1", data='{"text": "é"}'.encode(), headers={"X-Signature": "abc"}, method="POST")
        with urllib.request.urlopen(signed, timeout=5) as answer:
            assert answer.read() == b"{}"
        with urllib.request.urlopen(f"{url}?hub.challenge=4711", timeout=5) as answer:
            assert answer.read() == b"4711"
        with urllib.request.urlopen(urllib.request.Request(url, data=b"\xff\x00", method="PUT"), timeout=5) as answer:
            assert answer.status == 200
        capture.shutdown()
        thread.join()
    first, second, third = (json.loads(path.read_text()) for path in sorted(tmp_path.iterdir()))
    assert first["method"] == "POST"
    assert (first["path"], first["query"], first["body"]) == ("/hook", {"a": "1"}, '{"text": "é"}')
    assert first["headers"]["x-signature"] == "abc"
    assert (second["method"], second["path"]) == ("GET", "")
    assert third["base64"] == "/wA="
