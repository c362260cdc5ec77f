"""Where keys stand, against `tomllib`'s own reading of the same text."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.config.lines import Lines

_TEXT = '''\
a = 1 # a = 2
b.c . "d.e" = "x # [no]"

[one]
long = """
[two]
two = 3 \\" """""
raw = \'\'\'
[three]\'\'\'
when = 1979-05-27 07:32:00 # said
list = [ 1, # [x]
  { k = 1, l.m = [2] },
  "]",
]
[[many]]
n = 1
[many.inner]
o = 1

  [[many]]
  n = 2
  [[many.deep]]
  [[many.deep]]
  p = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b", "c", "d.e"), 2),
        (("one",), 4),
        (("one", "long"), 5),
        (("one", "raw"), 8),
        (("one", "when"), 10),
        (("one", "list"), 11),
        (("one", "list", 1), 12),
        (("one", "list", 1, "l", "m"), 12),
        (("one", "list", 2), 13),
        (("many", 0, "n"), 16),
        (("many", 0, "inner", "o"), 18),
        (("many", 1), 20),
        (("many", 1, "n"), 21),
        (("many", 1, "deep", 1, "p"), 24),
        (("one", "missing"), 4),
        (("nowhere",), None),
        ((), None),
    ],
)
def test_lines(path: tuple[str | int, ...], line: int | None) -> None:
    assert Lines(_TEXT).line(path) == line


def _basic(text: str) -> str:
    return '"' + "".join(letter if letter.isalnum() and letter.isascii() else f"\\U{ord(letter):08x}" for letter in text) + '"'


_KEYS = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True), st.text(max_size=4).map(_basic))
_SCALARS = st.one_of(
    st.integers(-5, 5).map(str),
    st.text(max_size=6).map(_basic),
    st.sampled_from(["true", "07:32:00", "'lit#]'", '"""a\nb"""', "'''\n[x]\ny = 1\n'''", '""""q"""""']),
)


def _valued(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arrays = st.lists(inner, max_size=3).map(lambda items: "[ # c ]\n" + " ,\n".join(items) + "\n]")
    tables = st.lists(st.tuples(_KEYS, inner), max_size=2, unique_by=lambda pair: tomllib.loads(pair[0] + "=0").popitem()).map(
        lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
    )
    return st.one_of(arrays, tables)


_PAIRS = st.tuples(_KEYS, st.recursive(_SCALARS, _valued, max_leaves=6))
_TABLES = st.tuples(st.sampled_from(["[{}]", "[[{}]]"]), _KEYS, st.lists(_PAIRS, max_size=3))


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path} | {deep for key, item in inner for deep in _paths(item, (*path, key))}


@settings(max_examples=300, deadline=None)
@given(st.lists(_TABLES, max_size=4))
def test_every_key_that_tomllib_sees_has_a_line_that_names_it(tables: list[tuple[str, str, list[tuple[str, str]]]]) -> None:
    text = "".join(header.format(key) + "\n" + "".join(f"{name} = {value}\n" for name, value in pairs) for header, key, pairs in tables)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = Lines(text)
    split = text.split("\n")
    for path in _paths(document) - {()}:
        line = lines.line(path)
        assert line is not None
        assert path in lines._found
        if isinstance(path[-1], str):
            shown = split[line - 1]
            assert path[-1] in shown or _basic(path[-1]) in shown
