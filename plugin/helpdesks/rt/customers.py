"""Contacts as RT users: without privileges, without a mail address (so RT mails them nothing), under a name made of our key alone."""

from __future__ import annotations

from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import CustomerRef
from plugin.domain.model import Contact
from plugin.helpdesks.rt.client import RtClient, segment
from plugin.helpdesks.rt.wording import display_name, one_line, user_name


def find_or_create(client: RtClient, contact: Contact, *, channel: str, platform: str) -> CustomerRef:
    """The contact's RT user; its real name follows the display name."""
    name = user_name(contact, channel=channel, platform=platform)
    shown = display_name(contact)
    user = client.find(f"/user/{segment(name)}")
    if user is None:
        try:
            client.post("/user", {"Name": name, "RealName": shown, "Privileged": 0, "Comments": _about(contact, channel, platform)})
        except RemoteRejected as refusal:
            # Another worker may have made it between our look and our call.
            user = client.find(f"/user/{segment(name)}")
            if user is None:
                raise RemoteRejected(
                    f"RT refused to make the user {name}; the message is kept. Give the bridge's user the right AdminUsers (seed.pl does).",
                    detail=refusal.detail,
                ) from None
    elif contact.display_name and user.get("RealName") != shown:
        client.put(f"/user/{segment(name)}", {"RealName": shown})
    return CustomerRef(name)


def _about(contact: Contact, channel: str, platform: str) -> str:
    handle = f" @{one_line(contact.handle, 100)}" if contact.handle else ""
    link = f" {one_line(contact.url, 300)}" if contact.url else ""
    return f"{platform}{handle}, seen on the channel {channel} of Crossdesk.{link}"
