"""The add-on for Zammad: what the package holds, that its Ruby parses, and that the bridge believes its relay."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.engine import Engine
from tests.fixtures import package
from tests.panels import Desk, served
from ui_extensions.packing import packers
from ui_extensions.zammad.pack import VERSION, pack, package_files

ROOT = Path(__file__).parents[3]
PANEL = ROOT / "ui_extensions" / "panel"
RELAY = ROOT / "ui_extensions" / "zammad" / "source" / "lib" / "crossdesk" / "relay.rb"
FORM = {"name", "version", "vendor", "license", "url", "description", "change_log", "buildhost", "builddate", "files"}
"""The keys of a package (Zammad, model `Package`, and its packages by others)."""


def test_it_is_packed_for_installing_and_as_a_source_folder(tmp_path: Path) -> None:
    for _ in range(2):
        packed = pack(tmp_path)
        assert [path.name for path in packed.made] == [f"crossdesk-{VERSION}.zpm", "crossdesk"]
    whole = json.loads(packed.made[0].read_text("utf-8"))
    assert set(whole) == FORM
    assert (whole["name"], whole["version"]) == ("Crossdesk", VERSION)
    files = {file["location"]: base64.b64decode(file["content"], validate=True) for file in whole["files"]}
    assert files == package_files()
    assert {file["permission"] for file in whole["files"]} == {"644"}
    source = json.loads((tmp_path / "crossdesk" / "crossdesk.szpm").read_text("utf-8"))
    assert source == {key: value for key, value in whole.items() if key != "files"}
    linked = {path.relative_to(tmp_path / "crossdesk").as_posix(): path.read_bytes() for path in (tmp_path / "crossdesk").rglob("*.*")}
    del linked["crossdesk.szpm"]
    assert linked == files
    assert "zammad" in packers()


def test_nothing_of_zammads_is_replaced_and_the_panel_is_everybodys() -> None:
    files = package_files()
    assert all("crossdesk" in location and ".." not in location for location in files)
    (script,) = (location for location in files if location.endswith("/cd-panel.js"))
    assert files[script] == (PANEL / "cd-panel.js").read_bytes()
    assert files[script.replace("cd-panel.js", "locales/de.json")] == (PANEL / "locales" / "de.json").read_bytes()
    (sidebar,) = (content.decode() for location, content in files.items() if location.endswith("sidebar_crossdesk.js"))
    assert f"/{script.removeprefix('public/')}" in sidebar
    assert "@PANEL@" not in b"".join(files.values()).decode()
    # Browsers keep what is below /assets: a new panel has a new address.
    assert "'150-Crossdesk'" in sidebar


def test_the_package_has_the_bridges_version() -> None:
    setup = next(line for line in (ROOT / "setup.cfg").read_text("utf-8").splitlines() if line.startswith("version"))
    assert setup.partition("=")[2].strip() == VERSION


@pytest.fixture(scope="module")
def ruby() -> str:
    package("ruby")
    return "/usr/bin/ruby"


@pytest.mark.root
def test_every_ruby_file_parses(ruby: str, tmp_path: Path) -> None:
    pack(tmp_path)
    files = sorted(map(str, (tmp_path / "crossdesk").rglob("*.rb")))
    assert len(files) >= 8
    script = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }"
    done = subprocess.run([ruby, "-w", "-e", script, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.root
@pytest.mark.servers
def test_the_bridge_believes_its_relay(ruby: str, database_url: str) -> None:
    engine = Engine(database_url)
    desk = Desk(engine)
    engine.tell(engine.network.say("maria", "My kettle hums"))
    engine.settle()
    script = f"""
        require '{RELAY}'
        agent = {{ id: '7', login: 'ada', name: 'Ada Öz', role: 'agent', groups: ['Agent'] }}
        told = JSON.parse($stdin.read)
        relay = Crossdesk::Relay.to(told['address'], told['secret'])
        shown = relay.ask('GET', told['ticket'], '?doing=viewing', agent)
        weighed = relay.ask('POST', told['ticket'], '/preflight?lang=de', agent, body: JSON.generate(text: 'Grüße'))
        puts JSON.generate(
          shown: [shown.status, JSON.parse(shown.body)['me']], weighed: [weighed.status, *JSON.parse(weighed.body).values_at('length', 'unit')],
          wrong: Crossdesk::Relay.to(told['address'], 'wrong').ask('GET', told['ticket'], '', agent).status,
          away: Crossdesk::Relay.to('http://127.0.0.1:1/panel/fake', 's').ask('GET', '1', '', agent).status,
          link: relay.link(told['ticket'], agent, Time.now.to_i), none: [Crossdesk::Relay.to('', 's'), Crossdesk::Relay.to(told['address'], '')]
        )
    """
    with served(lambda _: desk.app) as url:
        told = {"address": f"{url}/panel/fake", "secret": desk.secret, "ticket": engine.helpdesk.tickets[0].ref}
        done = subprocess.run([ruby, "-w", "-e", script], input=json.dumps(told), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["shown"] == [200, {"id": "7", "name": "Ada Öz", "role": "agent"}]
    assert found["weighed"] == [200, 5, "Zeichen"]
    assert (found["wrong"], found["away"], found["none"]) == (401, 503, [None, None])
    opened = desk.client.post("/panel/-/session", json={"token": urlsplit(found["link"]).fragment})
    assert (opened.status_code, opened.get_json()["name"]) == (200, "Ada Öz")
    engine.close()
