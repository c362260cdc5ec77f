"""What a customer's short answer means, in English and German: yes, no, thanks, a question for the status, a score. Pure.

Meant for answers to a question that we asked: a text that says more than one of these things, or much else, means none of them.
"""

from __future__ import annotations

import re

import regex

from plugin.policy.contract import Word


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LONGEST = 12
"""More words than this are no answer but news."""
_WORD = regex.compile(r"[\p{L}\p{N}']+")
_MENTION = regex.compile(r"(?<![\p{L}\p{N}])@[\p{L}\p{N}_.@-]+|https?://\S+")

_YES = _words(
    "yes yep yeah yup ja jo jep jawohl genau solved resolved fixed works gelöst geloest erledigt klappt passt funktioniert geklappt behoben"
)
_NO = _words("no nope nein nö noe nee not nicht kein keine never broken unsolved ungelöst still immernoch doesn't isn't didn't")
_THANKS = _words("thanks thank thx ty danke dankeschön dankeschoen merci cheers super great toll prima perfect perfekt top")
_FILLERS = _words(
    "it is was that this all now fine good ok okay you your very much so the a for my problem issue question "
    "everything has been and again finally well done indeed es ist war das alles jetzt gut euch ihnen dir vielen dank "
    "sehr schön für die der mein meine frage problem wieder nun und hat sich schon endlich bestens super doch leider "
    "immer noch sorry sadly unfortunately does did do working work solved resolved fixed gelöst erledigt funktioniert "
    "klappt"
)
_STATUS = (
    re.compile(r"^(the |der |den )?(status|stand)( please| bitte)?\s*[?.!]*$"),
    re.compile(
        r"\b(any (news|update)s?|what('s| is) (the )?(status|state|latest)|how far|status of my|gibt('?s| es) (schon )?(et)?(was )?neue[sn]?|"
        r"wie ist der (aktuelle )?stand|(aktueller|neuer) stand|wie weit|schon (etwas|was) neues)\b"
    ),
)
_SCORE = regex.compile(r"^\D{0,3}([1-5])\s*(?:/\s*5|von 5|of 5|stars?|sterne?n?)?\s*[.!⭐★]*$")
_UP = _words("👍 ✅ ✔ 💯 👌 🙏 ❤ + +1")
_DOWN = _words("👎 ❌ ✖ - -1")
_TONES = regex.compile(r"[\U0001F3FB-\U0001F3FF\ufe0f]")


def meaning(text: str) -> Word | None:
    """The one thing that a short text says; None when it says something else, or more than one."""
    plain = _plain(text)
    if not plain:
        return None
    if (sign := of_sign(plain)) is not None:
        return sign
    words = _WORD.findall(plain)
    if len(words) > _LONGEST:
        return None
    if any(pattern.search(plain) for pattern in _STATUS):
        return Word.STATUS
    kinds = {kind for kind, known in ((Word.YES, _YES), (Word.NO, _NO), (Word.THANKS, _THANKS)) if any(word in known for word in words)}
    if any(word not in _YES | _NO | _THANKS | _FILLERS for word in words):
        # Something else is said too: only a plain yes or no in front stands for an answer.
        return _leading(words, plain)
    if Word.NO in kinds:
        return Word.NO  # "not solved" and "it still does not work" hold words of yes too.
    if Word.YES in kinds:
        return Word.YES
    return Word.THANKS if kinds else None


def of_sign(sign: str) -> Word | None:
    """What a reaction means."""
    bare = _TONES.sub("", sign).strip()
    return Word.YES if bare in _UP else Word.NO if bare in _DOWN else None


def score(text: str) -> int | None:
    """A score from 1 to 5 that stands alone; that many stars count too."""
    plain = _plain(text)
    stars = plain.count("⭐") + plain.count("★")
    if stars and not plain.strip("⭐★ ") and stars <= 5:
        return stars
    found = _SCORE.match(plain)
    return int(found[1]) if found else None


def language(text: str) -> str:
    """`de` or `en` where the commonest little words say so clearly, else nothing."""
    words = _WORD.findall(_plain(text))
    german, english = (sum(word in known for word in words) for known in (_GERMAN, _ENGLISH))
    if german == english:
        return "de" if regex.search(r"[äöüß]", text) else ""
    return "de" if german > english else "en"


def _leading(words: list[str], plain: str) -> Word | None:
    if words[0] in {"no", "nope", "nein"} and len(words) > 1 and plain[len(words[0])] in ",.!;:":
        return Word.NO
    return None


def _plain(text: str) -> str:
    return _MENTION.sub(" ", text).casefold().replace("\u2019", "'").strip()


_GERMAN = _words(
    "der die das und ich ist nicht ein eine mein meine wo wie was wann habe bitte mit für auf danke hallo es ihr sie noch kein"
)
_ENGLISH = _words("the and i is not a an my where how what when have please with for on thanks hello it you they still no this that")
