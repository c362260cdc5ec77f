"""Forgers, replayers, planters and echoes (cases 41, 42, 45 and 47 to 51)."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import requests
from rq import Queue
from rq.serializers import JSONSerializer

from plugin.domain.model import File, Visibility
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.fake_posts import received
from plugin.testing.faults import Fault
from tests.faults.door import application
from tests.faults.inner import QUICK, Inner
from tests.faults.running import Running, until
from tests.faults.stage import SECRETS, secrets_in
from tests.webhooks import signed_by_the_network
from workers.jobs import QUEUE

BODY = b'{"account": {"id": "u_acme"}, "events": []}'
DESK_BODY = b'{"ticket": {"id": 4711, "updated_at": "2026-11-21T12:00:00Z"}}'


def signed(body: bytes = BODY, *, secret: str = SECRETS["network_secret"], age: float = 0.0) -> dict[str, str]:
    return dict(signed_by_the_network(body, secret=secret, at=time.time() - age).headers)


def desk_signed(body: bytes = DESK_BODY, *, secret: str = SECRETS["desk_secret"], digest: str = "sha1") -> dict[str, str]:
    return {"X-Hub-Signature": f"{digest}={hmac.new(secret.encode(), body, digest).hexdigest()}"}


def post(lasting: Running, body: bytes, headers: dict[str, str], *, to: str = "channel/practice") -> int:
    return requests.post(f"http://127.0.0.1:{lasting.stage.receiver_port}/in/{to}", data=body, headers=headers, timeout=20).status_code


def _with(headers: dict[str, str], **changes: str) -> dict[str, str]:
    return {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}


FORGERIES = {
    "no signature": lambda: (BODY, {"x-rehearsal-timestamp": str(int(time.time()))}),
    "an empty signature": lambda: (BODY, _with(signed(), x_rehearsal_signature="")),
    "a wrong secret": lambda: (BODY, signed(secret="some-other-secret-0123")),
    "the signature of another account": lambda: (BODY, signed(secret=SECRETS["desk_secret"])),
    "a body changed by one byte": lambda: (BODY.replace(b"u_acme", b"u_acmf"), signed()),
    "a body written anew": lambda: (json.dumps(json.loads(BODY), separators=(",", ":")).encode(), signed()),
    "half a signature": lambda: (BODY, _with(signed(), x_rehearsal_signature=signed()["x-rehearsal-signature"][:40])),
    "a time that was not signed": lambda: (BODY, _with(signed(), x_rehearsal_timestamp=str(int(time.time()) + 1))),
    "a weaker digest": lambda: (
        BODY,
        _with(signed(), x_rehearsal_signature="sha1=" + hmac.new(SECRETS["network_secret"].encode(), BODY, hashlib.sha1).hexdigest()),
    ),
    "letters that are none": lambda: (BODY, _with(signed(), x_rehearsal_signature="sha256=\u00e9\u00e8".encode().decode("latin-1"))),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_41_a_forged_delivery_is_refused_counted_and_not_kept(lasting: Running, forgery: str) -> None:
    until(lasting.is_ready)
    before, counted = lasting.rows("SELECT count(*) AS total FROM receipt"), _refusals(lasting, "channel:practice")
    body, headers = FORGERIES[forgery]()
    assert post(lasting, body, headers) == 401
    assert lasting.rows("SELECT count(*) AS total FROM receipt") == before
    assert _refusals(lasting, "channel:practice") == counted + 1


@pytest.mark.parametrize("headers", [{}, desk_signed(secret="some-other-secret-0123"), desk_signed(digest="md5"), signed(DESK_BODY)])
def test_41_the_helpdesks_door_is_as_hard(lasting: Running, headers: dict[str, str]) -> None:
    until(lasting.is_ready)
    before = lasting.rows("SELECT count(*) AS total FROM receipt")
    assert post(lasting, DESK_BODY, headers, to="helpdesk/desk") == 401
    assert lasting.rows("SELECT count(*) AS total FROM receipt") == before


def test_41_a_door_that_is_none_tells_nothing(lasting: Running) -> None:
    until(lasting.is_ready)
    assert post(lasting, BODY, signed(), to="channel/another") == 404


def _refusals(lasting: Running, place: str) -> float:
    shown = requests.get(f"http://127.0.0.1:{lasting.stage.receiver_port}/metrics", timeout=5).text
    found = re.search(rf'crossdesk_webhook_answers_total{{place="{place}",status="401"}} (\S+)', shown)
    return float(found[1]) if found else 0.0


def test_42_a_replayed_delivery_is_absorbed_at_once_and_refused_later(lasting: Running) -> None:
    until(lasting.is_ready)
    body = json.dumps({"account": {"id": "u_acme"}, "events": [], "nonce": time.time_ns()}).encode()
    headers = signed(body)
    before = lasting.rows("SELECT count(*) AS total FROM receipt")[0]["total"]
    assert [post(lasting, body, headers) for _ in range(3)] == [200, 200, 200]
    assert post(lasting, body, {**headers, "X-Rehearsal-Delivery": "another", "User-Agent": "somebody"}) == 200
    assert lasting.rows("SELECT count(*) AS total FROM receipt")[0]["total"] == before + 1
    assert [post(lasting, body, signed(body, age=age)) for age in (360, 3 * 86400, -360)] == [401, 401, 401]


def test_42_where_no_time_is_signed_a_replay_is_absorbed_for_ever(lasting: Running) -> None:
    until(lasting.is_ready)
    before = lasting.rows("SELECT count(*) AS total FROM receipt")[0]["total"]
    body = json.dumps({"ticket": {"id": 4711, "updated_at": "2026-11-21T12:00:00Z"}, "nonce": time.time_ns()}).encode()
    for age in range(3):
        headers = {**desk_signed(body), "X-Zammad-Delivery": f"another {age}"}
        assert post(lasting, body, headers, to="helpdesk/desk") == 200
        lasting.rows("UPDATE receipt SET received_at = received_at - interval '3 days' WHERE place = 'helpdesk:desk' RETURNING id")
    assert lasting.rows("SELECT count(*) AS total FROM receipt")[0]["total"] == before + 1


def test_45_a_file_beyond_the_limit_is_named_in_the_ticket_and_the_words_go_through(database_url: str) -> None:
    inner = Inner(database_url, engine=replace(QUICK, max_attachment=1000))
    bomb = File(filename="bomb.png", content_type="image/png", content=b"0" * 5000)
    small = File(filename="note.txt", content_type="text/plain", content=b"small")
    inner.told(inner.platform.say("ann", "look at these", files=(bomb, small)))
    inner.settle()
    (article,) = inner.desk.tickets[0].articles
    assert article.text.plain.startswith("look at these")
    assert "bomb.png" in article.text.plain
    assert [file.filename for file in article.files] == ["note.txt"]


def test_47_two_machines_that_answer_each_other_are_stopped_within_a_few_turns_and_told_once(database_url: str) -> None:
    inner = Inner(database_url, engine=replace(QUICK, loop_pace_seconds=3.0, loop_turns=5))
    for turn in range(15):
        inner.told(inner.platform.say("ann", f"I am a robot, take {turn}"))
        inner.settle()
        inner.touched(inner.desk.reply(inner.desk.tickets[0].ref, f"automatic answer {turn}"))
        inner.settle()
    assert len(inner.delivered()) <= 6
    assert [code.partition(":")[0] for code in inner.alerts()] == ["loop"]
    assert len(inner.filed()) == 15, "what the other side says is kept"
    inner.is_whole()


def test_47_our_own_words_coming_back_stop_the_conversation_too(inner: Inner) -> None:
    inner.told(inner.platform.say("ann", "hello"))
    inner.settle()
    for turn in range(4):
        inner.touched(inner.desk.reply(inner.desk.tickets[0].ref, f"we are closed today, day {turn}"))
        inner.settle()
        inner.told(inner.platform.say("ann", f"we are closed today, day {turn}"))
        inner.settle()
    assert len(inner.delivered()) <= 3
    assert [code.partition(":")[0] for code in inner.alerts()] == ["loop"]


def test_48_our_own_post_that_is_told_before_its_call_is_answered_is_one_post(inner: Inner) -> None:
    inner.told(inner.platform.say("ann", "hello"))
    inner.settle()
    inner.platform.faults.script("deliver", Fault.LOSE_ANSWER)
    inner.touched(inner.desk.reply(inner.desk.tickets[0].ref, "our answer"))
    inner.until(inner.delivered)
    inner.told(received(inner.platform.delivered[0]))
    inner.settle()
    assert inner.delivered() == ["our answer"]
    assert inner.filed() == ["hello"]
    assert inner.one("SELECT count(*) FROM message_ref WHERE place = 'channel:fake'") == 2
    inner.is_whole()


def test_48_what_our_side_posts_on_the_platform_itself_is_filed_once_and_never_sent(inner: Inner) -> None:
    said = inner.platform.say("ann", "hello", visibility=Visibility.PRIVATE)
    inner.told(said)
    inner.settle()
    native = inner.platform.say_natively("I answer from my telephone", thread=said.thread_key, visibility=Visibility.PRIVATE)
    inner.told(native)
    inner.told(native, inner.platform.say("ann", "thank you", visibility=Visibility.PRIVATE))
    inner.settle(polls=True)
    texts = [article.text.plain for article in inner.desk.tickets[0].articles]
    assert sum("I answer from my telephone" in text for text in texts) == 1
    assert inner.delivered() == []
    inner.is_whole()


def test_49_a_forged_oauth_callback_connects_nothing_and_leads_nowhere(database_url: str) -> None:
    """One route takes a code, and only with a state that we gave out: tests/unit/test_connects.py has its use, age and single life."""
    network = AbleNetwork()
    receiver = application(Inner(database_url, platform=network))
    rules = {rule.rule for rule in receiver.url_map.iter_rules()}
    assert rules == {"/healthz", "/readyz", "/places", "/metrics", "/oauth/callback"}
    for query in ({}, {"code": "c"}, {"state": "", "code": "c"}, {"state": "guess", "code": "c", "redirect_uri": "https://evil.example/"}):
        answer = receiver.test_client().get("/oauth/callback", query_string=query)
        assert (answer.status_code, answer.headers.get("Location"), answer.headers["Cache-Control"]) == (400, None, "no-store")
        assert "evil.example" not in answer.text
    assert receiver.test_client().post("/oauth/callback", data={"state": "guess", "code": "c"}).status_code == 405
    assert network.tokens == []


def test_50_nothing_that_people_write_breaks_out_of_a_log_line_and_no_log_tells_a_secret(lasting: Running) -> None:
    _, private = lasting.pair()
    evil = 'line one\r\n{"level": "error", "event": "forged"}\n\x1b[2J\u2028'
    author = {"id": private.customer.user_id, "handle": private.customer.handle, "name": evil, "url": evil, "is_company": False}
    body = json.dumps(
        {"account": {"id": evil}, "events": [{"id": evil, "type": evil, "post": {"author": author}}], "nonce": time.time_ns()}
    ).encode()
    until(lasting.is_ready)
    assert post(lasting, body, {**signed(body), "User-Agent": "x" * 200}) == 200
    assert post(lasting, body, _with(signed(body), x_rehearsal_signature=SECRETS["network_secret"])) == 401
    lasting.stage.write(private)
    lasting.is_whole()
    for log in lasting.folder.glob("*.log"):
        text = log.read_text(errors="replace")
        assert secrets_in(text) == [], log.name
        for line in text.split("\n"):
            if line:
                told = json.loads(line)
                assert told.get("event") != "forged"
                assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028]", line)


def test_51_a_job_planted_in_redis_is_refused_and_told(lasting: Running, tmp_path: Path) -> None:
    public, _ = lasting.pair()
    proof = tmp_path / "proof"
    with redis.Redis.from_url(lasting.servers.valkey.url) as client:
        queue = Queue(QUEUE, connection=client, serializer=JSONSerializer)
        for name in ("os.system", "builtins.exec", "subprocess.getoutput"):
            queue.enqueue_call(name, args=(f"touch {proof}",), result_ttl=0, failure_ttl=60)
        blob = queue.create_job("crossdesk.work")
        client.hset(blob.key, mapping={"data": pickle.dumps(("os.system", None, (f"touch {proof}",), {})), "status": "queued"})
        client.rpush(f"rq:queue:{QUEUE}", blob.id)
    until(lambda: lasting.rows("SELECT 1 FROM alert WHERE place = 'redis' AND code = 'job_refused'"))
    for _ in range(3):
        lasting.stage.write(public)
    lasting.is_whole()
    assert not proof.exists()
