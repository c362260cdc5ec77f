"""The real servers that acceptance tests stand on, and what their configuration says of them."""

from __future__ import annotations

from typing import Any

from tests import bridge
from tests.faults.stage import SECRETS
from tests.servers.registry import free_port


def free_address() -> tuple[int, str]:
    """A port for the bridge, and the address that helpdesks and platforms call there."""
    port = free_port()
    return port, f"http://127.0.0.1:{port}"


def servers_section(database_url: str, redis_url: str) -> str:
    """A database and a Redis of the test's own."""
    return f"""
[database]
url = "{database_url}"

[redis]
url = "{redis_url}"

[secrets]
keys = ["{bridge.key()}"]
"""


def rt_section(info: dict[str, Any]) -> str:
    """A Request Tracker as `tests.servers.rt` describes it."""
    return f"""
[helpdesk.rt]
kind = "rt"
url = "{info["url"]}"
user = "{info["user"]}"
password = "{info["password"]}"
queue = "{info["queue"]}"
webhook_secret = "{info["webhook_secret"]}"
"""


def osticket_section(info: dict[str, Any]) -> str:
    """An osTicket as `tests.servers.osticket` describes it."""
    return f"""
[helpdesk.osticket]
kind = "osticket"
url = "{info["url"]}"
webhook_secret = "{info["secret"]}"
group = "Support"
"""


def matrix_section(settings: dict[str, Any]) -> str:
    """A Matrix bot as `tests.servers.synapse.appservice` describes it."""
    return f"""
[channel.matrix]
platform = "matrix"
homeserver_url = "{settings["homeserver_url"]}"
user_id = "{settings["user_id"]}"
as_token = "{settings["as_token"]}"
hs_token = "{settings["hs_token"]}"
"""


def bluesky_section(network: dict[str, Any], identifier: str, app_password: str) -> str:
    """A Bluesky account on the network that `tests.servers.bluesky` describes."""
    return f"""
[channel.bluesky]
platform = "bluesky"
service = "{network["pds"]}"
directory = "{network["plc"]}"
identifier = "{identifier}"
app_password = "{app_password}"
poll_seconds = 2
"""


def practice_section(url: str) -> str:
    """The practice network and desk of `tests.faults.stage` at `url`."""
    return f"""
[helpdesk.desk]
kind = "zammad"
url = "{url}/desk"
group = "Social"
token = "{SECRETS["bridge_token"]}"
webhook_token = "{SECRETS["desk_secret"]}"
poll_seconds = 2

[channel.practice]
platform = "rehearsal"
helpdesk = "desk"
group = "Social"
url = "{url}/network"
token = "{SECRETS["company_token"]}"
webhook_secret = "{SECRETS["network_secret"]}"
poll_seconds = 2
"""
