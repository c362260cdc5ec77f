"""Logs: one line each whatever comes in, and nothing in them that must not leave (reliability case 50)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from plugin import log

_NASTY = "a\nb\r\nc\x1b[31mred\x1b[0m\x00\x85\u2028\u202egnp.exe\u200b\ud800"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, registered = root.handlers[:], root.level, dict(log._registered)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    log._registered.clear()
    log._registered.update(registered)
    structlog.reset_defaults()


def _lines(*, is_pretty: bool = False) -> io.StringIO:
    stream = io.StringIO()
    log.configure(stream=stream, is_pretty=is_pretty)
    return stream


def _one(stream: io.StringIO) -> dict[str, Any]:
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1, lines
    found: dict[str, Any] = json.loads(lines[0])
    return found


def _fail(error: Exception) -> None:
    raise error


def test_a_fact_is_one_line_of_json() -> None:
    stream = _lines()
    structlog.get_logger().info("filed", ticket="7", articles=2, tags=["a", ("b",)], seconds=0.5)
    fact = _one(stream)
    assert fact.pop("time").endswith("+00:00")
    assert fact == {"event": "filed", "level": "info", "ticket": "7", "articles": 2, "tags": ["a", ["b"]], "seconds": 0.5}


@pytest.mark.parametrize("is_pretty", [False, True])
def test_nothing_from_outside_breaks_out_of_its_line(is_pretty: bool) -> None:
    stream = _lines(is_pretty=is_pretty)
    structlog.get_logger().warning(_NASTY, **{"display_name": _NASTY, _NASTY: 1}, deep={"k": [_NASTY]})
    logging.getLogger("another").error("said %s", _NASTY)
    lines = stream.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == 2
    for line in lines:
        assert all(letter.isprintable() for letter in line)


@given(st.text(alphabet=st.characters(), max_size=50))
def test_any_text_stays_one_line(text: str) -> None:
    for is_pretty in (False, True):
        stream = _lines(is_pretty=is_pretty)
        structlog.get_logger().info("said", words=text)
        assert stream.getvalue().count("\n") == 1
        assert stream.getvalue()[:-1].isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "sent with Authorization: Bearer hunter2hunter2",
        "Bearer hunter2hunter2",
        "basic aHVudGVyMg==hunter2",
        "GET https://x.test/a?access_token=hunter2hunter2&b=1",
        "https://me:hunter2hunter2@x.test/",
        'posted {"client_secret": "hunter2hunter2"}',
        "password=hunter2hunter2",
        "https://api.telegram.org/bot123456789:hunter2hunter2-hunter2hunter2_hunter2/getMe",
        "eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.hunter2hunter2",
        "the registered-hunter2/one here",
        "in a link: registered-hunter2%2Fone",
    ],
)
@pytest.mark.parametrize("is_pretty", [False, True])
def test_what_looks_like_a_secret_is_hidden(text: str, is_pretty: bool) -> None:
    log.register_secrets(["registered-hunter2/one", "abc"])
    stream = _lines(is_pretty=is_pretty)
    logger = structlog.get_logger()
    logger.info(text, url=f" {text}", deep=[{"deeper": f" {text}"}])
    logging.getLogger("urllib3").warning("again %s", text)
    try:
        _fail(RuntimeError(f"failed: {text}\nand the rest"))
    except RuntimeError:
        logger.exception("broken")
    assert "hunter2" not in stream.getvalue()
    assert log.REDACTED in stream.getvalue()


def test_names_of_secrets_and_bodies_are_enough() -> None:
    stream = _lines()
    structlog.get_logger().info(
        "asked",
        access_token="x1",
        headers={"X-Api-Key": "x2", "Set-Cookie": "x3"},
        body=b"x4 x4",
        text="x5",
        deep={"payload": {"a": "x6"}},
        part=b"x7",
    )
    fact = _one(stream)
    assert not any(f"x{number}" in json.dumps(fact) for number in range(1, 8))
    assert (fact["body"], fact["text"], fact["part"]) == ("[5 not logged]", "[2 not logged]", "[2 bytes]")


def test_ordinary_facts_stay_readable() -> None:
    log.register_secrets(["abc"])
    for text in (
        "conversation 12:34 of abc",
        "https://desk.example.com/in/channel/shop?page=2",
        "token refreshed",
        "2026-11-21T10:00:00+00:00",
    ):
        assert log.redacted(text) == text


def test_an_exception_is_told_without_its_data() -> None:
    stream = _lines()
    try:
        _fail(ValueError("duplicate key\nDETAIL: Key (name)=(customer's words)"))
    except ValueError:
        structlog.get_logger().exception("not stored", receipt=7)
    fact = _one(stream)
    assert (fact["error"], fact["says"], fact["receipt"]) == ("ValueError", "duplicate key", 7)
    assert fact["through"][0].startswith("test_log.py:")
    assert "customer" not in stream.getvalue()


def test_long_and_deep_things_are_cut() -> None:
    stream = _lines()
    deep: Any = "end"
    for _ in range(50):
        deep = {"a": deep}
    structlog.get_logger().info("much", words="w" * 10_000_000, deep=deep)
    assert len(stream.getvalue()) < 3000


def test_a_person_reads_a_plain_line() -> None:
    stream = _lines(is_pretty=True)
    structlog.get_logger().info("ready", address="http://127.0.0.1:8010")
    assert stream.getvalue()[8:] == " info    ready  address=http://127.0.0.1:8010\n"


def test_context_goes_along() -> None:
    stream = _lines()
    with structlog.contextvars.bound_contextvars(conversation=5):
        structlog.get_logger().info("turn")
    assert _one(stream)["conversation"] == 5
