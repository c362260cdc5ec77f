"""The plugin's PHP by itself: it parses, its classes do what they should, both sides write the same codes, and it is packed whole."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plugin.cli import main
from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.http import WebhookRequest
from plugin.contracts.signing import sign
from plugin.domain.errors import ConfigError
from plugin.domain.text import Text
from plugin.helpdesks.osticket import emoji, hand_over
from tests.fixtures import package
from tests.osticket_contract import SCHEMA
from tests.servers.debian import OSTICKET
from tests.servers.osticket import PLUGIN, SHIM, php
from tests.servers.registry import free_port
from tests.webhook_listener import Listener, Reply
from ui_extensions.osticket.pack import pack
from ui_extensions.packing import fresh_folder, packers

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def command() -> str:
    package(*OSTICKET)
    return php()


def run(command: str, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run([command, *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.root
def test_every_file_parses(command: str) -> None:
    files = sorted(map(str, [*PLUGIN.parent.rglob("*.php"), *SHIM.rglob("*.php")]))
    script = "foreach (json_decode(stream_get_contents(STDIN)) as $file) { token_get_all(file_get_contents($file), TOKEN_PARSE); }"
    run(command, "-r", script, stdin=json.dumps(files))


@pytest.mark.root
def test_the_classes_do_what_they_should(command: str) -> None:
    assert run(command, str(HERE / "units.php")) == "ok\n"


@pytest.mark.root
def test_the_bridge_reads_who_comes_over(command: str) -> None:
    word, secret, at = run(command, str(HERE / "units.php"), "word").strip(), "a-shared-secret-of-32-characters", 1000.0
    read = partial(hand_over.receive, secret, word)
    assert read(datetime.fromtimestamp(at + 30, UTC)) == StaffMember(login="ada", name="Ada Ökafor/€", groups=("Support", "Leads"))
    assert read(datetime.fromtimestamp(at + 100, UTC)) is None
    now = datetime.fromtimestamp(at, UTC)
    assert hand_over.receive(f"{secret}x", word, now) is None
    stamp, payload, signature = word.split(".")
    for forged in (f"1001.{payload}.{signature}", f"{stamp}.{payload}x.{signature}", f"{stamp}.{payload}", "é.é.é", ""):
        assert hand_over.receive(secret, forged, now) is None
    assert hand_over.receive("", f"{stamp}.{payload}." + sign("", stamp.encode(), b".hand-over.", payload.encode()), now) is None


@given(st.text(max_size=60), st.binary(max_size=60))
def test_a_word_of_any_shape_is_read_or_refused(odd: str, signed: bytes) -> None:
    now = datetime.fromtimestamp(1000, UTC)
    payload = base64.urlsafe_b64encode(signed).decode().rstrip("=")
    ours = f"1000.{payload}." + sign("secret", b"1000.hand-over.", payload.encode())
    assert all(hand_over.receive("secret", word, now) is None for word in (odd, ours))


@pytest.mark.root
def test_both_sides_know_each_others_codes(command: str) -> None:
    ranges = [range(0xA0, 0x100), range(0x2300, 0x2400), range(0x2700, 0x27C0), range(0x1F1E6, 0x1FAFF), range(0x20000, 0x20010)]
    letters = [chr(code) for some in ranges for code in some if code != 0xAD]
    script = f"""
        require '{PLUGIN}/src/Emoji.php';
        echo json_encode(array_map('Crossdesk\\\\Emoji::encode', json_decode(stream_get_contents(STDIN))));
    """
    coded = json.loads(run(command, "-r", script, stdin=json.dumps(letters)))
    assert [emoji.decode(Text(one)).plain for one in coded] == letters
    ours = [emoji.encode_line(letter) for letter in letters]
    assert {mine for mine, theirs in zip(ours, coded, strict=True) if mine.isascii() != theirs.isascii()} == set()


_CALLS = """
    foreach (['Signature', 'Bridge', 'Relay'] as $part) { require "$argv[1]/src/$part.php"; }
    [, , $root, $nobody] = $argv;
    $found = ['way' => function_exists('curl_init') ? 'curl' : 'streams'];
    foreach (['ok', 'wrong', 'absent', 'moved', 'odd'] as $case) {
        $found[$case] = (new Crossdesk\\Bridge("$root/in/helpdesk/$case", 'a-secret'))->test();
    }
    $found['away'] = (new Crossdesk\\Bridge("$nobody/in/helpdesk/ok", 'a-secret'))->test();
    $found['posted'] = (new Crossdesk\\Bridge("$root/in/helpdesk/ok", 'a-secret'))->post(['contract' => 1, 'touches' => []]);
    foreach (['/page' => '', '/moved' => '', '/pressed' => '{"a":1}', '/large' => ''] as $path => $body) {
        $relay = new Crossdesk\\Relay($root, 'os', 'another-secret');
        [$status, $lines, $content] = $relay->ask($body === '' ? 'GET' : 'POST', $path, $body, ['id' => '1']);
        $found[$path] = [$status, $lines, strlen($content) > 500 ? 'long' : $content];
    }
    [$found['gone']] = (new Crossdesk\\Relay($nobody, 'os', 'another-secret'))->ask('GET', '/page', '', null);
    echo json_encode($found);
"""


def _bridge(request: WebhookRequest) -> Reply:
    status = {"/in/helpdesk/wrong": 401, "/in/helpdesk/absent": 404, "/in/helpdesk/moved": 302, "/in/helpdesk/odd": 500, "/moved": 302}
    headers = {"Content-Type": "application/json", "Set-Cookie": "a=b", "Location": "/in/helpdesk/ok", "Cache-Control": "no-store"}
    return status.get(request.path, 200), headers, b"x" * 8_600_000 if request.path == "/large" else b"{}"


@pytest.mark.root
@pytest.mark.parametrize(("way", "without"), [("curl", ""), ("streams", "curl_init")])
def test_the_bridge_is_called_the_same_by_either_of_phps_ways(command: str, way: str, without: str) -> None:
    with Listener(0, "") as bridge:
        bridge.reply = _bridge
        told = run(
            command, "-d", f"disable_functions={without}", "-r", _CALLS, "--", str(PLUGIN), bridge.url, f"http://127.0.0.1:{free_port()}"
        )
        found = json.loads(told)
    assert (found.pop("way"), found.pop("posted"), found.pop("gone")) == (way, True, 503)
    problems = {case: found.pop(case) for case in ("ok", "wrong", "absent", "moved", "odd", "away")}
    assert problems.pop("ok") is None
    assert "secret" in problems["wrong"]
    assert "no helpdesk of that name" in problems["absent"]
    assert "HTTP 302" in problems["moved"], "no redirect is followed: it would take the signed words elsewhere"
    assert "HTTP 500" in problems["odd"]
    assert "cannot be reached" in problems["away"]
    carried = ["Content-Type: application/json", "Cache-Control: no-store"]
    assert found.pop("/large")[0] == 503
    assert found == {"/page": [200, carried, "{}"], "/moved": [302, carried, "{}"], "/pressed": [200, carried, "{}"]}
    for request in bridge.requests[:6]:
        stamp, given = request.headers["x-crossdesk-timestamp"], request.headers["x-crossdesk-signature"]
        assert given == "v1=" + sign("a-secret", stamp.encode(), b".", request.body)
    pressed = next(request for request in bridge.requests if request.path == "/pressed")
    assert (pressed.method, pressed.body, pressed.headers["x-crossdesk-signature"][:3]) == ("POST", b'{"a":1}', "v1=")


def test_the_contract_is_a_schema() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert all({"request", "answer"} == set(call["properties"]) for call in schema["properties"].values())


def test_the_plugin_has_the_bridges_version() -> None:
    told = (PLUGIN / "plugin.php").read_text("utf-8")
    setup = next(line for line in (PLUGIN.parents[2] / "setup.cfg").read_text("utf-8").splitlines() if line.startswith("version"))
    assert f"'version' => '{setup.partition('=')[2].strip()}'" in told


@pytest.mark.root
def test_it_is_packed_as_a_folder_and_as_a_phar(command: str, tmp_path: Path) -> None:
    for _ in range(2):
        packed = pack(tmp_path)
        assert [path.name for path in packed.made] == ["crossdesk", "crossdesk.phar"]
    wanted = {path.relative_to(PLUGIN): path.read_bytes() for path in PLUGIN.rglob("*.*")}
    panel = PLUGIN.parents[1] / "panel"
    wanted |= {Path("assets") / name: (panel / name).read_bytes() for name in ("cd-panel.js", "locales/en.json", "locales/de.json")}
    assert {path.relative_to(tmp_path / "crossdesk"): path.read_bytes() for path in (tmp_path / "crossdesk").rglob("*.*")} == wanted
    inside = run(command, "-r", f"readfile('phar://{tmp_path}/crossdesk.phar/assets/cd-panel.js');")
    assert inside == (panel / "cd-panel.js").read_text("utf-8")
    told = run(command, "-r", f"echo json_encode(include 'phar://{tmp_path}/crossdesk.phar/plugin.php');")
    assert json.loads(told)["plugin"] == "crossdesk.php:CrossdeskPlugin"


def test_without_php_the_folder_is_built_and_that_is_said(tmp_path: Path) -> None:
    done = CliRunner(env={"PATH": str(tmp_path)}).invoke(main, ["package", "osticket", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "crossdesk" / "src" / "Desk.php").is_file()
    assert not (tmp_path / "crossdesk.phar").exists()
    assert "php-cli" in done.output


def test_what_is_not_ours_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "crossdesk").mkdir()
    with pytest.raises(ConfigError, match="not made by this command"):
        fresh_folder(tmp_path, "crossdesk", known_by="plugin.php")
    assert "osticket" in packers()
