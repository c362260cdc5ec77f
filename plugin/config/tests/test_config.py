"""The whole file: what is read, and that every mistake is named with its line and without a secret."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from plugin.config import Config, LateMessages, Sentinels, load, secret_keys
from plugin.contracts.capabilities import Capabilities
from plugin.contracts.platform import Connection
from plugin.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    token: str = field(repr=False)
    intake: str = "webhook"
    rooms: tuple[str, ...] = ()


class _SettingsSchema(Schema):
    class Meta:
        unknown = RAISE

    token = fields.String(
        required=True,
        validate=validate.Length(min=8, error="{input} is too short for a token."),
        metadata={"help": "The bot's token.", "secret": True},
    )
    intake = fields.String(validate=validate.OneOf(("webhook", "poll")), metadata={"help": "How messages come in.", "secret": False})
    rooms = fields.List(fields.String(), metadata={"help": "Rooms.", "secret": False})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> _Settings:
        return _Settings(**{**data, "rooms": tuple(data.get("rooms", ()))})


class _Broken(_SettingsSchema):
    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> _Settings:
        raise ZeroDivisionError


class _Adapter:
    """A platform and a helpdesk at once, as far as configuration looks at them."""

    capabilities = Capabilities()

    def __init__(self, name: str, schema: Schema) -> None:
        self.name = self.display_name = name
        self.settings_schema = schema

    def connect(self, key: Any, settings: Any, connection: Connection) -> Any:
        raise ValidationError("not here")


_ADAPTERS: dict[str, Any] = {
    name: _Adapter(name, schema) for name, schema in {"matrix": _SettingsSchema(), "rt": _SettingsSchema(), "broken": _Broken()}.items()
}

_GOOD = """\
# a comment with [brackets] = and "quotes
[crossdesk]
public_url = "https://desk.example.com"

[receiver]
max_body = "3 MB"
spool = "off"

[engine]
lease_seconds = "1 min"

[helpdesk.main]
kind = "rt"
token = "env:RT_TOKEN"

[channel.shop]
platform = "matrix"
group = "Social"
late = "follow_up"
token = "file:shop.token"
rooms = [
  "#one",  # with a comment ]
  '#two',
]
"""
_ENVIRON = {"RT_TOKEN": "rt-secret-token", "DATABASE": "postgres://me:pass%40word@db/crossdesk", "KEY": Fernet.generate_key().decode()}


def _load(folder: Path, text: str, environ: Mapping[str, str] = _ENVIRON) -> Config:
    path = folder / "crossdesk.toml"
    path.write_text(text)
    path.chmod(0o600)
    (folder / "shop.token").write_text("shop-secret-token\n")
    return load(path, platforms=_ADAPTERS, helpdesks=_ADAPTERS, environ=environ)


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as found:
        _load(folder, text)
    return [problem.removeprefix(f"{folder}/") for problem in found.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    config = _load(tmp_path, _GOOD)
    assert config.warnings == ()
    assert config.data_dir == tmp_path / ".crossdesk"
    assert config.database.is_embedded
    assert config.redis.is_embedded
    assert (config.receiver.max_body, config.receiver.spool, config.receiver.port) == (3_000_000, False, 8010)
    assert (config.engine.lease_seconds, config.engine.batch) == (60.0, 50)
    channel = next(iter(config.channels.values()))
    assert (channel.key, channel.platform, channel.helpdesk, channel.group) == ("shop", "matrix", "main", "Social")
    assert channel.late is LateMessages.FOLLOW_UP
    assert not channel.is_paused
    assert channel.settings == _Settings(token="shop-secret-token", rooms=("#one", "#two"))
    assert {"rt-secret-token", "shop-secret-token"} <= config.secrets
    assert "secret-token" not in repr(config)


def test_every_mistake_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[crossdesk]
public_url = "desk.example.com/"
languages = "en"

[receivers]
port = 1

[receiver]
port = 70000
max_body = "2 potatoes"
threads = true

[engine]
lease_seconds = 10
batch = 1.5

[helpdesk.main]
kind = "zamad"

[channel.Shop]
platform = "matrix"

[channel.shop]
platform = "matrx"

[channel.other]
platform = "matrix"
helpdesk = "mein"
late = "never"
intke = "poll"

[channel.third]
platform = "matrix"
token = "env:NOT_SET"
rooms = ["a",
  7]

[channel.fourth]
platform = "broken"
token = "long-enough-token"

[polcy]
"""
    assert [problem for problem in _problems(tmp_path, text) if "warning:" not in problem] == [
        (
            'crossdesk.toml:2: crossdesk.public_url: must be the address under which the platforms reach us, such as "https://desk.example.com",'
            " without a final slash."
        ),
        "crossdesk.toml:3: crossdesk.languages: is not a setting here. Did you mean `language`?",
        "crossdesk.toml:5: receivers: is not a section of this file. Did you mean `receiver`?",
        "crossdesk.toml:9: receiver.port: must lie between 0 and 65535.",
        'crossdesk.toml:10: receiver.max_body: is not understood; write a number or a text such as "2 MB".',
        "crossdesk.toml:11: receiver.threads: must be a whole number such as 4.",
        "crossdesk.toml:15: engine.batch: must be a whole number such as 4.",
        "crossdesk.toml:18: helpdesk.main.kind: no helpdesk software of this name is known. Possible here: `broken`, `matrix`, `rt`.",
        "crossdesk.toml:20: channel.Shop: is no usable name: it becomes part of an address, so use a-z, 0-9, - and _.",
        "crossdesk.toml:24: channel.shop.platform: no platform of this name is known. Did you mean `matrix`?",
        "crossdesk.toml:29: channel.other.late: Must be one of: reopen, follow_up, new.",
        (
            "crossdesk.toml:34: channel.third.token: the environment variable NOT_SET is not set. Set it for the service, or write"
            " `file:PATH` and put the value there."
        ),
        "crossdesk.toml:36: channel.third.rooms[2]: must be a text in quotes.",
        "crossdesk.toml:38: channel.fourth: the adapter could not read these settings (ZeroDivisionError). Tell whoever maintains it.",
        "crossdesk.toml:42: polcy: is not a section of this file. Did you mean `policy`?",
    ]


def test_what_an_adapter_misses_is_explained_in_its_own_words(tmp_path: Path) -> None:
    assert _problems(tmp_path, _GOOD.replace('token = "file:shop.token"', "")) == [
        "crossdesk.toml:16: channel.shop.token: is missing. The bot's token."
    ]
    assert _problems(tmp_path, _GOOD.replace("token = ", "tokn = ", 1)) == [
        "crossdesk.toml:12: helpdesk.main.token: is missing. The bot's token.",
        "crossdesk.toml:14: helpdesk.main.tokn: is not a setting here. Did you mean `token`?",
    ]


def test_which_helpdesk(tmp_path: Path) -> None:
    second = '\n[helpdesk.second]\nkind = "rt"\ntoken = "env:RT_TOKEN"\n'
    assert "there are 2: name one of them" in _problems(tmp_path, _GOOD + second)[0]
    config = _load(tmp_path, _GOOD.replace('group = "Social"', 'helpdesk = "second"') + second)
    assert [channel.helpdesk for channel in config.channels.values()] == ["second"]
    assert "no section [helpdesk.NAME]" in _problems(tmp_path, _GOOD.replace('group = "Social"', 'helpdesk = "x"'))[0]


def test_a_secret_in_the_file_is_a_warning_and_is_never_shown(tmp_path: Path) -> None:
    warnings = _load(tmp_path, _GOOD.replace("file:shop.token", "plain-secret")).warnings
    assert len(warnings) == 1
    assert ":20: channel.shop.token: warning: a secret stands in the file itself" in warnings[0]
    shown = _problems(tmp_path, _GOOD.replace("file:shop.token", "hunter2"))
    assert "[secret] is too short for a token." in shown[0]
    assert "hunter2" not in "".join(shown)
    path = tmp_path / "crossdesk.toml"
    path.write_text(_GOOD.replace("file:shop.token", "plain-secret"))
    path.chmod(0o644)
    assert "chmod 600" in load(path, platforms=_ADAPTERS, helpdesks=_ADAPTERS, environ=_ENVIRON).warnings[0]


def test_a_database_of_ones_own_needs_a_key(tmp_path: Path) -> None:
    database = '\n[database]\nurl = "env:DATABASE"\n'
    assert "secrets.keys: is missing" in _problems(tmp_path, _GOOD + database)[0]
    config = _load(tmp_path, _GOOD + database + '\n[secrets]\nkeys = ["env:KEY"]\n')
    assert config.database.url == "postgresql+psycopg://me:pass%40word@db/crossdesk"
    assert secret_keys(config) == (_ENVIRON["KEY"],)
    shown = _problems(tmp_path, _GOOD + database.replace("env:DATABASE", "mysql://me:swordfish@db/x") + '\n[secrets]\nkeys = ["short"]\n')
    assert 'must be "embedded" or begin with postgresql://' in shown[0]
    assert "secrets.keys[1]: is no key" in shown[1]
    assert "swordfish" not in "".join(shown)


@pytest.mark.parametrize(
    ("url", "sentinels"),
    [
        ("redis://h:6379/1", None),
        ("rediss://:p@h", None),
        ("unix:///run/v.sock", None),
        ("sentinel://a:1,b:2/main", Sentinels(addresses=(("a", 1), ("b", 2)), service="main")),
        (
            "sentinel://me:p%2Fw@a:1,[::1]:2/main/3",
            Sentinels(addresses=(("a", 1), ("::1", 2)), service="main", database=3, username="me", password="p/w"),
        ),
    ],
)
def test_redis_addresses(tmp_path: Path, url: str, sentinels: Sentinels | None) -> None:
    config = _load(tmp_path, _GOOD + f'\n[redis]\nurl = "{url}"\n')
    assert config.redis.sentinels == sentinels


@pytest.mark.parametrize(
    "url", ["http://h", "redis://", "sentinel://a/main", "sentinel://a:1", "sentinel://a:99999/main", "sentinel://[a:1/x", ""]
)
def test_redis_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    assert "redis.url: must be" in _problems(tmp_path, _GOOD + f'\n[redis]\nurl = "{url}"\n')[0]


@pytest.mark.parametrize(
    ("setting", "seconds"),
    [("5", 5.0), ("5.5", 5.5), ('"5 s"', 5.0), ('"2min"', 120.0), ('"1500 ms"', 1.5), ('"1 h"', 3600.0), ('"1 m"', 60.0)],
)
def test_times(tmp_path: Path, setting: str, seconds: float) -> None:
    config = _load(tmp_path, _GOOD.replace("[engine]", f"[engine]\nbackoff_cap = {setting}"))
    assert config.engine.backoff_cap == seconds


@pytest.mark.parametrize(
    "setting", ['"5 parsecs"', "true", "nan", "inf", "-1", "[1]", '"1e3"', "1979-05-27", "{ a = 1 }", '"999999999999999 d"']
)
def test_times_that_are_none(tmp_path: Path, setting: str) -> None:
    assert ":10: engine.backoff_cap: " in _problems(tmp_path, _GOOD.replace("[engine]", f"[engine]\nbackoff_cap = {setting}"))[0]


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        ("turn_seconds = 90", "turn_seconds"),
        ("backoff_base = 60\nbackoff_cap = 1", "backoff_base"),
        ("retention_days = 7", "retention_days"),
    ],
)
def test_rules_over_several_settings(tmp_path: Path, setting: str, wrong: str) -> None:
    assert f"engine.{wrong}: must" in _problems(tmp_path, _GOOD.replace("[engine]", f"[engine]\n{setting}"))[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.toml", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(ConfigError, match=said):
            load(path, platforms={}, helpdesks={}, environ={})
    assert _problems(tmp_path, '[crossdesk]\nlanguage = "en\n')[0].startswith("crossdesk.toml:2: this is not TOML")
    assert "nested too deeply" in _problems(tmp_path, "a = " + "[" * 3000)[0]
    path = tmp_path / "crossdesk.toml"
    path.write_bytes(b"[a]\n\xff")
    with pytest.raises(ConfigError, match="byte 4 is not UTF-8"):
        load(path, platforms={}, helpdesks={}, environ={})
    assert "the file gone.token cannot be read: No such file" in _problems(tmp_path, _GOOD.replace("shop.token", "gone.token"))[0]
    (tmp_path / "empty").touch()
    assert "the file empty is empty" in _problems(tmp_path, _GOOD.replace("shop.token", "empty"))[0]


def test_the_embedded_default_makes_its_own_key(tmp_path: Path) -> None:
    config = _load(tmp_path, "")
    assert "no [channel.NAME] is set up yet" in config.warnings[0]
    keys = secret_keys(config)
    Fernet(keys[0])
    assert secret_keys(config) == keys
    kept = tmp_path / ".crossdesk" / "secret.key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret.key"]


_VALUES = st.sampled_from(
    [
        '"text"',
        "1",
        "-1",
        "1.5",
        "true",
        "nan",
        "[]",
        "[1, [2]]",
        "{}",
        '{ a = "b" }',
        "1979-05-27T07:32:00Z",
        "07:32:00",
        '"env:X"',
        '"file:/"',
        '""',
        "'\\u0000'",
    ]
)


@st.composite
def _mutilated(draw: st.DrawFn) -> str:
    lines = _GOOD.splitlines()
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                del lines[at : at + draw(st.integers(1, 4))]
            case 1:
                lines[at] = lines[at].partition("=")[0] + "= " + draw(_VALUES)
            case 2:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(st.text(max_size=6)) + lines[at][cut + draw(st.integers(0, 5)) :]
            case 3:
                lines[at] = draw(
                    st.sampled_from(
                        ["channel = 1", "[[channel]]", "[helpdesk]", "[crossdesk.receiver]", "[channel.'a b']", "receiver.port = 1"]
                    )
                )
            case _:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
        lines = lines or [""]
    return "\n".join(lines)


@settings(max_examples=400, deadline=None)
@given(_mutilated())
def test_any_mutilated_file_gives_problems_and_never_a_traceback(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crossdesk.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        (Path(folder) / "shop.token").write_text("shop-secret-token\n")
        try:
            load(path, platforms=_ADAPTERS, helpdesks=_ADAPTERS, environ=_ENVIRON)
        except ConfigError as error:
            assert error.problems  # noqa: PT017 - a file may also have stayed good
            for problem in error.problems:
                assert re.match(re.escape(str(path)) + r"(:[1-9][0-9]*)?: ", problem)
                assert "\n" not in problem
                assert "secret-token" not in problem
