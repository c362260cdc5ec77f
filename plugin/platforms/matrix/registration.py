"""The application service registration that the homeserver's admin installs. Knows nothing of the calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from plugin.platforms.matrix.schema import MatrixSettings

_HEADER = """\
# Registration of the Crossdesk channel on this homeserver. Keep it secret: it holds both tokens.
# Synapse: save it beside homeserver.yaml, name it under `app_service_config_files:`, restart.
"""


def registration(settings: MatrixSettings, webhook_url: str) -> str:
    """The registration as YAML (Matrix spec, Application Service API, "Registration").

    `webhook_url` is the channel's address without a trailing slash; the homeserver adds `/_matrix/app/v1/...` itself.
    The service's own user (`sender_localpart`) is not the bot: Synapse refuses `/sync` to the former.
    """
    fields = {
        "id": settings.appservice_id,
        "url": webhook_url,
        "as_token": settings.as_token,
        "hs_token": settings.hs_token,
        "sender_localpart": f"_{settings.appservice_id}",
        "rate_limited": False,
        "receive_ephemeral": True,
        "namespaces": {"users": [{"exclusive": True, "regex": f"^{_escape(settings.user_id)}$"}], "aliases": [], "rooms": []},
    }
    return _HEADER + "".join(_lines(fields, ""))


def _lines(fields: Mapping[str, Any], indent: str) -> list[str]:
    """Block style YAML. JSON's strings, numbers and empty lists are YAML too, so nothing needs quoting rules of its own."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}:\n", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value:
            lines.append(f"{indent}{name}:\n")
            for item in value:
                first, *rest = _lines(item, indent + "    ")
                lines += [f"{indent}  - {first.strip()}\n", *rest]
        else:
            lines.append(f"{indent}{name}: {json.dumps(value)}\n")
    return lines


def _escape(words: str) -> str:
    """`words` as a regular expression in the plainest form: only what needs it is escaped."""
    return re.sub(r"([.+*?^$()\[\]{}|\\])", r"\\\1", words)
