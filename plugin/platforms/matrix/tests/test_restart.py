"""A homeserver that is killed between two tries of one delivery."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import RemoteUnavailable
from plugin.domain.ids import ChannelKey, Marker
from plugin.platforms.matrix.adapter import PLATFORM, MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettingsSchema
from plugin.testing.outgoing import outbound
from plugin.transport.client import Transport
from tests.matrix_customer import Customer
from tests.servers import synapse


def kill(leader: int) -> None:
    os.killpg(leader, signal.SIGKILL)
    os.waitpid(leader, 0)


@pytest.mark.servers
def test_transaction_ids_outlive_the_homeservers_process(tmp_path: Path, homeserver: object) -> None:
    """Synapse keeps an application service's own transaction ids in memory alone; those of a device of the bot's are on disk.

    This homeserver is the test's own; the run's is asked for so that the test is skipped where there can be none.
    """
    started = synapse.start(tmp_path)
    leader, transport = started.pids[0], Transport()
    try:
        settings = MatrixSettingsSchema().load(started.info["appservices"][0]["settings"])
        connection = Connection(http=transport.client(name="Matrix"), clock=SystemClock(), secrets=None, webhook_url="")  # type: ignore[arg-type]
        adapter = PLATFORM.connect(ChannelKey("matrix"), settings, connection)
        assert isinstance(adapter, MatrixAdapter)
        customer = Customer(started.info)
        adapter.poll(None)
        room = customer.create_room(settings.user_id)
        adapter.poll(adapter.poll(None).position)
        message = outbound(room, "Once.", contact=customer.user_id, created_at=datetime.now(UTC))
        first = adapter.deliver(message, marker=Marker("a" * 26))
        kill(leader)
        with pytest.raises(RemoteUnavailable):
            adapter.deliver(message, marker=Marker("a" * 26))
        leader = synapse.run(tmp_path, started.info["url"])
        assert adapter.deliver(message, marker=Marker("a" * 26)) == first
        assert [event["content"]["body"] for event in customer.messages(room)] == ["Once."]
        customer.close()
    finally:
        kill(leader)
        transport.close()
