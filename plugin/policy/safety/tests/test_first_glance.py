"""The first glance: language, feeling, links and personal data in one look; unknown rather than wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.text import Text
from plugin.policy.safety import language, links, sentiment
from plugin.policy.safety.first_glance import examine
from plugin.policy.safety.personal_data import Lookout

pytest.importorskip("pycld2")
pytest.importorskip("vaderSentiment")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("My router does not connect since yesterday, can you help me please?", "en"),
        ("Mein Router verbindet sich seit gestern nicht mehr, könnt ihr mir bitte helfen?", "de"),
        ("@acme hilfe!! internet weg seit 3 tagen https://example.com/the/english/words", "de"),
        ("Bonjour, ma commande n'est toujours pas arrivée", "fr"),
        ("Hola, mi pedido no ha llegado todavía", "es"),
        ("Merhaba, siparişim hâlâ gelmedi", "tr"),
        ("Здравствуйте, мой заказ ещё не пришёл", "ru"),
        ("注文がまだ届いていません", "ja"),
    ],
)
def test_languages_are_known(text: str, tag: str) -> None:
    assert language.detect(text) == tag


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "thanks",
        "danke",
        "lol",
        "12345",
        "😀😀😀",
        "https://example.com/a/b/c",
        "@acme @other #fail",
        "Samsung Galaxy S24",
        "geht nicht",
        "\ud800\udfff",
        "\x00\x01",
    ],
)
def test_short_texts_are_unknown(text: str) -> None:
    assert language.detect(text) == ""


@pytest.mark.parametrize(
    ("found", "hint", "tag"),
    [("", "", ""), ("", "pt-BR", "pt-BR"), ("pt", "pt-BR", "pt-BR"), ("de", "en", "de"), ("de", "", "de"), ("pt", "pt_BR", "pt_BR")],
)
def test_the_hint_stands_in_for_the_unknown(found: str, hint: str, tag: str) -> None:
    assert language.told(found, hint) == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("This is the worst service ever!!! I am furious", "en"),
        ("Three weeks and still broken, what a scam", "en"),
        ("Das ist der schlechteste Service aller Zeiten!!!", "de"),
        ("Ich bin stinksauer, das ist eine Frechheit", "de"),
        ("Das ist nicht gut", "de"),
        ("Die App funktioniert nicht, unverschämt", "de-AT"),
    ],
)
def test_anger_is_below_zero(text: str, tag: str) -> None:
    found = sentiment.score(text, tag)
    assert found is not None
    assert found < -0.3


@pytest.mark.parametrize(
    ("text", "tag"),
    [("Wonderful, it works, thank you so much!", "en"), ("Super, hat geklappt, vielen Dank!", "de"), ("Das ist nicht schlecht", "de")],
)
def test_joy_is_above_zero(text: str, tag: str) -> None:
    found = sentiment.score(text, tag)
    assert found is not None
    assert found > 0.2


@pytest.mark.parametrize(
    ("text", "tag"),
    [("Can you help me please?", "en"), ("Wo ist meine Bestellung?", "de"), ("Je suis furieux", "fr"), ("I am furious", ""), ("", "en")],
)
def test_where_nobody_knows_there_is_none(text: str, tag: str) -> None:
    assert sentiment.score(text, tag) is None


def test_one_look_sees_it_all() -> None:
    found = examine(Text("Ich bin stinksauer! Ruft mich an: 030 1234567, siehe https://evil.example/x"), language_hint="de-DE")
    assert found.kinds == ("phone",)
    assert found.addresses == ("https://evil.example/x",)
    assert found.language == "de-DE"
    assert found.sentiment is not None
    assert found.sentiment < -0.5


def test_the_region_comes_from_the_nearest_source() -> None:
    words = Text("Tel 01 5332001")
    assert examine(words, region="AT").kinds == ("phone",)
    assert examine(words, language_hint="de-AT").kinds == ("phone",)
    assert examine(words, lookout=Lookout(region="AT")).kinds == ("phone",)
    assert examine(words).kinds == ()


@settings(deadline=None)
@given(words=st.text(max_size=120), hint=st.text(max_size=8), region=st.text(max_size=3))
def test_nothing_upsets_it(words: str, hint: str, region: str) -> None:
    found = examine(Text(words), language_hint=hint, region=region)
    assert found.sentiment is None or -1 <= found.sentiment <= 1


_PIECES = st.sampled_from(
    [
        "bad",
        "BAD",
        "no",
        "good",
        "not",
        "so",
        ":)",
        ":D",
        "😡",
        "schlecht",
        "nicht gut",
        "but",
        "least",
        "a.de",
        "x.",
        ".y",
        "http:foo",
        "www.a",
        "wss://",
    ]
)


@given(text=st.lists(_PIECES | st.text(max_size=6), max_size=8).map(" ".join), tag=st.sampled_from(sentiment.LANGUAGES))
@settings(max_examples=150, deadline=None)
def test_the_quick_looks_pass_over_nothing(text: str, tag: str) -> None:
    judge = sentiment._judge(tag)
    if not sentiment._has_feeling(text, judge):
        found = judge.polarity_scores(text)
        assert (found["pos"], found["neg"]) == (0, 0)
    if not links._may_have_link(text):
        assert links._shape().search(text) is None


@given(
    text=st.lists(_PIECES | st.sampled_from(["@a", "#b", "12", "a@b", "http://x", "www.y", "words"]) | st.text(max_size=6), max_size=8).map(
        " ".join
    )
)
def test_where_no_noise_is_seen_there_is_none(text: str) -> None:
    if not language._HAS_NOISE.search(text):
        assert language._NOISE.search(text) is None
