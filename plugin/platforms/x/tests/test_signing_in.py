"""Connecting an account and keeping the connection: PKCE, tokens that end, renewals that work once, and what shows of all that: nothing."""

from __future__ import annotations

import pickle
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.contracts.platform import Connects, Grant
from plugin.domain.errors import CredentialsRejected, RemoteError, RemoteUnavailable
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import Visibility
from plugin.platforms._oauth.tokens import SECRET, Token, load_token
from plugin.platforms.x.adapter import PLATFORM
from plugin.platforms.x.tests.conftest import SCOPES, Connected
from plugin.testing import answers_suite
from plugin.testing.fixtures import Subject, load
from plugin.testing.outgoing import outbound
from plugin.testing.samples import platform_calls
from plugin.testing.standins.x import ACCOUNT, BEARER, CALLBACK, CLIENT_SECRET, CONSUMER_SECRET, CUSTOMER, XStandIn
from plugin.testing.tables import folder_of

GRANT = Grant(state="state-1", verifier="v" * 43, redirect_url=CALLBACK)


def test_an_account_is_connected_once_and_renewed_by_itself(x: XStandIn, connect: Callable[..., Connected], marker: Marker) -> None:
    made = connect(scopes=None)
    assert isinstance(made.adapter, Connects)
    assert set(made.adapter.scopes) == SCOPES
    with pytest.raises(CredentialsRejected, match="channel connect"):
        made.adapter.poll(None)
    code, state = x.signing_in.agree(made.adapter.authorize_url(GRANT), ACCOUNT)
    assert state == GRANT.state
    made.adapter.exchange(code, GRANT)
    assert made.adapter.poll(None).events == ()
    with pytest.raises(CredentialsRejected, match="used"):
        made.adapter.exchange(code, GRANT)
    for _ in range(3):
        x.signing_in.expire()
        made.adapter.poll(None)
    assert made.secrets.renewals == 4


def test_a_token_is_renewed_before_it_ends(x: XStandIn, connect: Callable[..., Connected]) -> None:
    made = connect()
    token = load_token(made.secrets.stored[SECRET])
    assert token is not None
    soon = Token(access=token.access, renewal=token.renewal, ends_at=datetime.now(UTC).timestamp() + 30, scopes=token.scopes)
    made.secrets.stored[SECRET] = soon.dump()
    made.adapter.poll(None)
    assert made.secrets.renewals == 1
    assert next(path for _, path, _ in x.calls) == "/2/oauth2/token"


def test_many_who_find_the_token_ended_renew_it_once(x: XStandIn, connect: Callable[..., Connected]) -> None:
    made = connect()
    x.signing_in.expire()
    problems: list[Exception] = []

    def look() -> None:
        try:
            made.adapter.recheck([MessageRef("2080000000000000001")])
        except RemoteError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert made.secrets.renewals == 1


def test_a_renewal_without_answer_is_tried_again_and_a_burnt_one_is_told(x: XStandIn, connect: Callable[..., Connected]) -> None:
    made = connect()
    x.signing_in.expire()
    kept = made.secrets.stored[SECRET]
    x.arm("error_before", at="token", value=503)
    with pytest.raises(RemoteUnavailable):
        made.adapter.poll(None)
    assert made.secrets.stored[SECRET] == kept
    x.arm("drop_after", at="token")
    with pytest.raises(RemoteUnavailable):
        made.adapter.poll(None)
    with pytest.raises(CredentialsRejected, match="channel connect"):
        made.adapter.poll(None)


def test_what_the_account_took_back_stops_the_channel(x: XStandIn, connect: Callable[..., Connected], marker: Marker) -> None:
    made = connect()
    x.signing_in.revoke()
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail hello")
    message = outbound(f"public/{asked.id}/{CUSTOMER}", "Hi", visibility=Visibility.PUBLIC, reply_to=MessageRef(asked.id))
    with pytest.raises(CredentialsRejected):
        made.adapter.deliver(message, marker=marker)
    assert [probe.name for probe in made.adapter.probe() if not probe.is_ok] == ["account", "webhook"]


def test_the_wrong_account_and_missing_permissions_are_not_kept(x: XStandIn, connect: Callable[..., Connected]) -> None:
    made = connect(scopes=None)
    address = made.adapter.authorize_url(GRANT)
    code, _ = x.signing_in.agree(address, CUSTOMER)
    with pytest.raises(CredentialsRejected, match="@lena_marsh"):
        made.adapter.exchange(code, GRANT)
    code, _ = x.signing_in.agree(address, ACCOUNT, without=frozenset({"dm.write", "offline.access"}))
    with pytest.raises(CredentialsRejected, match=r"offline\.access, dm\.write"):
        made.adapter.exchange(code, GRANT)
    code, _ = x.signing_in.agree(address, ACCOUNT)
    with pytest.raises(CredentialsRejected):
        made.adapter.exchange(code, Grant(state="state-1", verifier="w" * 43, redirect_url=CALLBACK))
    assert made.secrets.stored == {}


def test_a_public_client_signs_in_without_a_secret(x: XStandIn, connect: Callable[..., Connected]) -> None:
    x.signing_in.client_secret = ""
    made = connect(client_secret="", scopes=None, direct_messages=False)
    assert not {"dm.read", "dm.write"} & set(made.adapter.scopes)
    code, _ = x.signing_in.agree(made.adapter.authorize_url(GRANT), ACCOUNT)
    made.adapter.exchange(code, GRANT)
    made.adapter.poll(None)
    assert "/2/dm_events" not in [path for _, path, _ in x.calls]


def test_no_error_and_no_repr_tells_a_secret(x: XStandIn, connect: Callable[..., Connected], marker: Marker) -> None:
    made = connect()
    token = load_token(made.secrets.stored[SECRET])
    assert token is not None
    secrets = [CLIENT_SECRET, CONSUMER_SECRET, BEARER, token.access, token.renewal]
    shown = [repr(made.adapter), repr(token), str(made.adapter.__dict__), str(made.adapter.probe())]
    x.stop()
    calls: list[Callable[[], Any]] = [
        lambda: made.adapter.poll(None),
        lambda: made.adapter.deliver(outbound(f"dm/{ACCOUNT}-{CUSTOMER}", "hi"), marker=marker),
        made.adapter.register_webhook,
        lambda: made.adapter.exchange("code", GRANT),
    ]
    for call in calls:
        with pytest.raises(RemoteError) as problem:
            call()
        shown += ["".join(traceback.format_exception(problem.value)), problem.value.detail, str(pickle.loads(pickle.dumps(problem.value)))]
    assert not [secret for secret in secrets for text in shown if secret in text]


class SignedIn(Subject):
    """The fixtures' adapter with a kept sign-in: without one, no call goes out, and nothing odd ever comes back."""

    def connect(self, http: Any = None, *, at: Any = None, settings: Any = None, stored: Any = None) -> Any:
        token = Token(access="access-7PqRs", renewal="renewal-8TuVw", ends_at=1795269600.0, scopes=tuple(SCOPES))
        return super().connect(http, at=at, settings=settings, stored=stored or {SECRET: token.dump()})


def test_odd_answers_are_endured_by_an_account_that_is_signed_in() -> None:
    known = load(PLATFORM, folder_of(PLATFORM))
    subject = SignedIn(**{name: getattr(known, name) for name in Subject.__dataclass_fields__})
    assert list(answers_suite.odd_answers_are_endured(subject, platform_calls)) == []
    assert list(answers_suite.unclear_look_ups_do_not_say_no(subject, platform_calls)) == []
