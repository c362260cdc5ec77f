"""The rulers by which platforms count text (facts/platforms.md section 0, item 8)."""

from __future__ import annotations

import regex

from plugin.contracts.capabilities import Ruler

GRAPHEME = regex.compile(r"\X")
"""One letter as people see it (Unicode Standard Annex 29)."""

CODE_POINTS = Ruler(name="code_points", unit="characters", measure=len)
UTF16 = Ruler(name="utf16", unit="characters", measure=lambda text: len(text) + sum(ord(letter) > 0xFFFF for letter in text))
UTF8 = Ruler(name="utf8", unit="bytes", measure=lambda text: len(text.encode("utf-8", "replace")))
GRAPHEMES = Ruler(name="graphemes", unit="characters", measure=lambda text: sum(1 for _ in GRAPHEME.finditer(text)))
