"""What the settings of accounts that sign in by OAuth must keep to. Knows no platform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from plugin.platforms._oauth.values import is_base, is_plain


def check_addresses(data: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse an address that tokens may not travel to.

    Raises:
        ValidationError: under the setting's name.
    """
    for name in names:
        if not is_base(data.get(name, "")):
            raise ValidationError("Give an https:// address without a query; tokens travel there.", name)


def check_credentials(data: Mapping[str, Any], names: Iterable[str], *, whose: str, without: str = "") -> None:
    """Refuse what can be no credential of the platform called `whose`; `without`: letters that none of them has.

    Raises:
        ValidationError: under the setting's name; it does not repeat what was given.
    """
    for name in names:
        value = data.get(name, "")
        if not is_plain(value) or any(letter in value for letter in without):
            raise ValidationError(f"This holds spaces, line breaks or letters that no {whose} credential has. Copy it again.", name)


def bare(data: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Addresses as paths are put behind them."""
    return {name: data[name].rstrip("/") for name in names}
