"""Staff who come over from osTicket: the plugin there signs who is signed in, by osTicket's own login, second factor and throttle.

The word is `<unix seconds>.<payload>.<HMAC>`: the payload is JSON in URL-safe base64 without padding (`login`, `name`, `groups`), and the HMAC is that
of a call to the plugin named `hand-over`, which is no call it has.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from plugin.contracts.helpdesk import StaffMember
from plugin.contracts.signing import is_fresh, is_one_of, sign

PATH = "/scp/ajax.php/crossdesk/console"
_SECONDS = 90.0
"""A word is used at once; more would be for the clocks."""
_LONGEST = 8_000


class _StaffSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    login = fields.Str(required=True, validate=validate.Length(min=1, max=200))
    name = fields.Str(required=True, validate=validate.Length(max=200))
    groups = fields.List(fields.Str(validate=validate.Length(max=200)), required=True, validate=validate.Length(max=200))


def receive(secret: str, word: str, now: datetime) -> StaffMember | None:
    """Whom the word vouches for; None when it is forged, old or unreadable."""
    if not secret or len(word) > _LONGEST or word.count(".") != 2:
        return None
    stamp, payload, signature = word.split(".")
    try:
        signed = (stamp.encode("ascii"), b".hand-over.", payload.encode("ascii"))
    except UnicodeEncodeError:
        return None
    if not is_one_of(signature, sign(secret, *signed)) or not is_fresh(stamp, now, window=_SECONDS):
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        staff = _StaffSchema().load(told)
    except (ValidationError, ValueError, binascii.Error, RecursionError):
        return None
    return StaffMember(login=staff["login"], name=staff["name"] or staff["login"], groups=tuple(staff["groups"]))
