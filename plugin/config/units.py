"""Settings as people write them: `"2 MB"`, `"30 s"`, `"5 min"`; and what a URL must look like. Bytes and seconds come out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)")
_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SECONDS = {
    **dict.fromkeys(("", "s", "second", "seconds"), 1.0),
    "ms": 0.001,
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}


class _Quantity(fields.Field):
    """A number with a unit, between two bounds that the error sentence names."""

    units: ClassVar[Mapping[str, float]]
    example: ClassVar[str]

    def __init__(self, *, at_least: float, at_most: float, **rest: Any) -> None:
        super().__init__(**rest)
        self.at_least, self.at_most = at_least, at_most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Any:
        del attr, data, rest
        number = self._read(value)
        if not self.at_least <= number <= self.at_most:
            raise ValidationError(f"must lie between {self.shown(self.at_least)} and {self.shown(self.at_most)}.")
        return number

    def _read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValidationError(f"must be a number or a text such as {self.example}.")
        if not isinstance(value, str):
            return value
        found = _QUANTITY.fullmatch(value.strip())
        if found is None or found[2].lower() not in self.units:
            raise ValidationError(f"is not understood; write a number or a text such as {self.example}.")
        return float(found[1]) * self.units[found[2].lower()]

    def shown(self, number: float) -> str:
        """`number` in the unit that people would choose; plain where there is none."""
        return f"{number:g}"


class Size(_Quantity):
    """Whole bytes."""

    units = _BYTES
    example = '"2 MB"'

    def _read(self, value: Any) -> int:
        return int(super()._read(value))

    def shown(self, number: float) -> str:
        """Largest unit that leaves a whole number."""
        for name, size in (("GB", 1000**3), ("MB", 1000**2), ("kB", 1000)):
            if number >= size and number % size == 0:
                return f'"{number / size:g} {name}"'
        return f"{number:g} bytes"


class Seconds(_Quantity):
    """Seconds, with fractions."""

    units = _SECONDS
    example = '"30 s" or "5 min"'

    def _read(self, value: Any) -> float:
        return float(super()._read(value))

    def shown(self, number: float) -> str:
        """Largest unit that leaves a whole number."""
        for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
            if number >= size and number % size == 0:
                return f'"{number / size:g} {name}"'
        return f"{number:g} s"


class Count(_Quantity):
    """A whole number."""

    units: ClassVar[Mapping[str, float]] = {"": 1}
    example = "4"

    def _read(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(f"must be a whole number such as {self.example}.")
        return value

    def shown(self, number: float) -> str:
        """Just the number."""
        return f"{number:g}"


def check_public_url(value: str) -> None:
    """Refuse what could not stand before `/in/channel/...`.

    Raises:
        ValidationError: no http(s) address, or more than scheme, host, port and path.
    """
    try:
        parts = urlsplit(value)
        is_fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_fine = False
    else:
        is_fine = is_fine and not (parts.query or parts.fragment or parts.username or parts.password or value.endswith("/"))
    if not is_fine:
        raise ValidationError(
            'must be the address under which the platforms reach us, such as "https://desk.example.com", without a final slash.'
        )
