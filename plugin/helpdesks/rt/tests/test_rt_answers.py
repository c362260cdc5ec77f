"""What the adapter makes of RT's odder answers; each is one that a real RT 5.0.3 gave, unless said."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import marshmallow
import pytest

from plugin.contracts.http import HttpResponse, WebhookRequest
from plugin.contracts.signing import sign
from plugin.domain.errors import (
    CredentialsRejected,
    CrossdeskError,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    Unsupported,
    UnsupportedEvent,
)
from plugin.domain.events import ArticleAuthor
from plugin.domain.ids import ArticleRef, ContactRef, CustomerRef, HelpdeskKey, Marker, MediaRef, TicketRef
from plugin.domain.model import Attachment, Contact, NewArticle, TicketChange
from plugin.domain.text import Mark, MarkKind, Text
from plugin.domain.trimming import trim_reply
from plugin.helpdesks.rt import advisories, wording
from plugin.helpdesks.rt.adapter import HELPDESK, RtAdapter
from plugin.testing.fakes import START, CannedHttp, Made, connection
from plugin.testing.outgoing import new_ticket

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "a secret of sixteen"
MARKER = Marker("0123456789abcdefghijklmnop")
SETTINGS = {"url": "https://rt.example/rt/", "user": "crossdesk", "token": "1-2-abc", "queue": "Social", "webhook_secret": SECRET}


def says(status: int, body: Any = None, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpResponse(status=status, headers=headers, body=raw)


def path_of(call: Made) -> str:
    return call.url.removeprefix("https://rt.example/rt").removeprefix("/REST/2.0")


def desk(*answers: HttpResponse | CrossdeskError, **settings: Any) -> tuple[RtAdapter, CannedHttp]:
    http = CannedHttp(answers, is_endless=False)
    loaded = HELPDESK.settings_schema.load({**SETTINGS, **settings})
    return HELPDESK.connect(HelpdeskKey("rt"), loaded, connection(http)), http


def ticket(**changes: Any) -> dict[str, Any]:
    shown = {
        "id": 10,
        "Status": "open",
        "Subject": "Hello",
        "Priority": "0",
        "Queue": {"id": "3", "type": "queue", "Name": "Social"},
        "Owner": {"id": "Nobody", "type": "user"},
        "Requestor": [{"id": "matrix.support.7", "type": "user"}],
        "CustomFields": [{"id": "2", "name": "Crossdesk Tags", "values": ["old"]}],
    }
    return {**shown, **changes}


TICKET_REF = TicketRef("10")
ARTICLE = NewArticle(text=Text("hello"), author=Contact(ref=ContactRef("7"), display_name="Maria"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(500), OutcomeUnknown),  # malformed JSON; a proxy's 500 looks the same
        (says(502, b"<html>Bad Gateway</html>"), OutcomeUnknown),
        (says(503), OutcomeUnknown),
        (says(201, ["Correspondence added"]), OutcomeUnknown),
        (says(200, b"<html>a proxy's page</html>"), OutcomeUnknown),
        (says(400, {"message": "Message could not be recorded"}), RemoteRejected),
        (says(401, {"message": "Unauthorized"}), CredentialsRejected),
        (says(403, {"message": "Forbidden"}), RemoteRejected),
        (says(404, {"message": "Not Found"}), TargetGone),
        (says(412, {"message": "Precondition Failed"}), RemoteRejected),
        (says(413), RemoteRejected),
        (says(415, {"message": "Unsupported Media Type"}), RemoteRejected),
        (says(429, **{"retry-after": "7"}), RateLimited),
        (OutcomeUnknown("cut off"), OutcomeUnknown),
        (RemoteUnavailable("refused"), RemoteUnavailable),
    ],
)
def test_each_answer_to_an_article_is_one_of_our_errors(answer: HttpResponse | CrossdeskError, error: type[RemoteError]) -> None:
    adapter, _ = desk(says(200, ticket()), answer)
    with pytest.raises(error) as raised:
        adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER)
    assert type(raised.value) is error
    assert str(raised.value)
    if error is RateLimited:
        assert raised.value.retry_after == 7.0


@pytest.mark.parametrize("answer", [says(500), says(502, b"<html>"), says(503), says(200, b"<html>not RT</html>")])
def test_a_failed_read_is_surely_not_applied(answer: HttpResponse) -> None:
    adapter, http = desk(answer)
    with pytest.raises(RemoteUnavailable):
        adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER)
    assert len(http.made) == 1


def test_if_match_never_goes_with_a_message_and_the_marker_goes_twice() -> None:
    adapter, http = desk(says(200, ticket(), etag='"104"'), says(201, ["Correspondence added"], location="/rt/REST/2.0/transaction/184"))
    filed = adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER)
    assert filed.article_ref == "184"
    sent = http.made[1].sent
    assert (http.made[1].method, path_of(http.made[1])) == ("POST", "/ticket/10/correspond")
    assert "If-Match" not in sent["headers"]
    assert sent["json"]["TxnCustomFields"] == {"Crossdesk Message": MARKER}
    assert sent["json"]["Subject"] == f"Maria [cd:{MARKER}]"


def test_a_refusal_within_a_200_is_seen_by_reading_again() -> None:
    said = ["Ticket 10: Status 'bogus' isn't a valid status for this ticket."]
    adapter, _ = desk(says(200, ticket()), says(200, said), says(200, ticket()))
    with pytest.raises(RemoteRejected) as refusal:
        adapter.update_ticket(TICKET_REF, TicketChange(state="bogus"))
    assert refusal.value.detail == said[0]


def test_a_stale_change_is_made_on_what_is_there_now() -> None:
    newer = ticket(CustomFields=[{"name": "Crossdesk Tags", "values": ["old", "theirs"]}])
    done = ticket(CustomFields=[{"name": "Crossdesk Tags", "values": ["old", "ours", "theirs"]}])
    adapter, http = desk(
        says(200, ticket(), etag='"1"'), says(412), says(200, newer, etag='"2"'), says(200, ["added"]), says(200, done, etag='"3"')
    )
    adapter.update_ticket(TICKET_REF, TicketChange(add_tags=("ours",)))
    sent = http.made[3].sent
    assert sent["headers"]["If-Match"] == '"2"'
    assert sent["json"] == {"CustomFields": {"Crossdesk Tags": ["old", "ours", "theirs"]}}
    stuck, _ = desk(*[says(200, ticket()), says(412)] * 3)
    with pytest.raises(RemoteUnavailable):
        stuck.update_ticket(TICKET_REF, TicketChange(title="new"))


def test_nothing_is_sent_where_nothing_differs() -> None:
    adapter, http = desk(says(200, ticket()))
    adapter.update_ticket(TICKET_REF, TicketChange(is_closed=False, owner="", group="Social", add_tags=("old",)))
    assert [call.method for call in http.made] == ["GET"]


def test_a_change_that_was_cut_off_is_unclear() -> None:
    for answer in (says(500), says(200, b"<html>")):
        adapter, _ = desk(says(200, ticket()), answer)
        with pytest.raises(OutcomeUnknown):
            adapter.update_ticket(TICKET_REF, TicketChange(title="new"))


NEW_TICKET = new_ticket(Contact(ref=ContactRef("7")), article=ARTICLE, group="", customer_ref=CustomerRef("matrix.support.7"))
QUEUE = says(200, {"TicketCustomFields": [{"name": "Crossdesk Marker"}]})
CREATED = says(201, {"id": "10"}, location="/REST/2.0/ticket/10")


def test_a_made_ticket_that_cannot_be_read_is_unclear_not_absent() -> None:
    for trouble in (says(500), says(429), RemoteUnavailable("refused")):
        adapter, _ = desk(QUEUE, CREATED, trouble)
        with pytest.raises(OutcomeUnknown):
            adapter.open_ticket(NEW_TICKET, marker=MARKER)


def test_a_dropped_requestor_is_put_back_or_named() -> None:
    """Seen: an unknown name is dropped with 201."""
    lost, whole = says(200, ticket(Requestor=[])), says(200, ticket())
    found = says(200, {"items": [{"id": "103", "Type": "Create"}]})
    adapter, http = desk(QUEUE, CREATED, lost, says(200, ["Added"]), whole, found)
    assert adapter.open_ticket(NEW_TICKET, marker=MARKER).losses == ()
    assert http.made[3].sent["json"] == {"Requestor": ["matrix.support.7"]}
    adapter, _ = desk(QUEUE, CREATED, lost, says(200, []), lost, found)
    assert "requestor" in adapter.open_ticket(NEW_TICKET, marker=MARKER).losses[0]


def test_a_queue_without_the_marker_field_is_refused_before_the_ticket_is_made() -> None:
    adapter, http = desk(says(200, {"TicketCustomFields": []}))
    with pytest.raises(RemoteRejected, match="seed"):
        adapter.open_ticket(NEW_TICKET, marker=MARKER)
    assert len(http.made) == 1


def test_a_name_taken_meanwhile_is_the_customer() -> None:
    adapter, _ = desk(says(404), says(400, {"message": "Name in use"}), says(200, {"Name": "matrix.support.7"}))
    assert adapter.find_or_create_customer(NEW_TICKET.contact, channel="support", platform="matrix") == "matrix.support.7"
    adapter, _ = desk(says(404), says(400, {"message": "Permission Denied"}), says(404))
    with pytest.raises(RemoteRejected, match="AdminUsers"):
        adapter.find_or_create_customer(NEW_TICKET.contact, channel="support", platform="matrix")


def test_visibility_cannot_be_changed() -> None:
    adapter, http = desk()
    with pytest.raises(Unsupported):
        adapter.set_visibility(TICKET_REF, ArticleRef("1"), is_internal=True)
    assert http.made == []


def row(number: int, **changes: Any) -> dict[str, Any]:
    creator = {"id": "agent", "Name": "agent", "RealName": "Ada Agent"}
    return {"id": str(number), "Type": "Correspond", "Creator": creator, "ObjectId": "10", "Created": "2026-11-21T11:00:00Z", **changes}


def items(*rows: dict[str, Any]) -> HttpResponse:
    return says(200, {"items": list(rows), "total": None, "pages": None, "count": len(rows)})


def part(number: int, content_type: str, filename: str = "", headers: str = "") -> dict[str, Any]:
    return {"id": str(number), "ContentType": content_type, "Filename": filename, "Headers": headers}


def content(words: str) -> HttpResponse:
    return says(200, {"Content": base64.encodebytes(words.encode()).decode()})


def test_mail_with_both_forms_is_read_once_and_what_follows_is_kept() -> None:
    parts = [
        part(1, "multipart/mixed"),
        part(2, "multipart/alternative"),
        part(3, "text/plain"),
        part(4, "text/html"),
        part(5, "image/png", headers="Content-Type: image/png\nContent-Length: 264"),
        part(6, "text/plain"),
        part(7, "text/plain", "notes.txt"),
    ]
    adapter, http = desk(
        items(row(200)), items(), says(200, {"Privileged": 1}), items(*parts), content("<p>Hi <i>you</i></p>"), content("and more\r\n")
    )
    (article,) = adapter.list_articles_since(TICKET_REF, ArticleRef("150"))
    assert article.text == Text("Hi you\n\nand more", (Mark(3, 6, MarkKind.ITALIC),))
    assert [(file.media_ref, file.filename, file.size) for file in article.attachments] == [
        ("200/5", "file-5.png", 264),
        ("200/7", "notes.txt", None),
    ]
    assert [path_of(call) for call in http.made][-2:] == ["/attachment/4", "/attachment/6"]


def test_who_wrote_decides_what_an_article_is() -> None:
    def by(name: str) -> dict[str, str]:
        return {"id": name, "Name": name}

    rows = [
        row(205, Creator=by("CrossDesk"), Data=f"Maria [cd:{MARKER}]\n"),
        row(204, Creator=by("mail/er")),
        row(203, Creator=by("maria@example.org")),
        row(202, Creator=by("RT_System")),
        row(201, Creator=by("agent"), Data=f"copied [cd:{MARKER}]"),
    ]
    empty = items()
    users = says(200, {"Privileged": 1}), empty, empty, says(200, {"Privileged": 0}), empty, says(404), empty, empty
    adapter, http = desk(items(*rows), items(), *users)
    articles = adapter.list_articles_since(TICKET_REF, None)
    assert [(article.author, article.is_reply, article.marker) for article in articles] == [
        (ArticleAuthor.AGENT, True, None),
        (ArticleAuthor.SYSTEM, False, None),
        (ArticleAuthor.CUSTOMER, False, None),
        (ArticleAuthor.CUSTOMER, False, None),
        (ArticleAuthor.BRIDGE, False, MARKER),
    ]
    assert articles[3].remarks
    assert "/user/maria%40example.org" in [path_of(call) for call in http.made]


def test_hidden_rows_do_not_end_a_history() -> None:
    """Seen: RT tells no total and leaves out, page by page, what the bridge may not see."""
    pages = items(row(300, Type="EmailRecord")), items(row(200, Type="Set"), row(300, Type="EmailRecord")), items()
    adapter, http = desk(*pages)
    assert adapter.list_articles_since(TICKET_REF, None) == []
    assert [call.sent["params"]["page"] for call in http.made] == [1, 2, 3]


def test_an_empty_history_may_be_a_ticket_that_never_was() -> None:
    adapter, _ = desk(items(), says(404, {"message": "Not Found"}))
    with pytest.raises(TargetGone):
        adapter.list_articles_since(TICKET_REF, None)


def test_a_reference_that_is_not_ours_fetches_nothing() -> None:
    adapter, http = desk()
    with pytest.raises(RemoteRejected):
        adapter.fetch_attachment(Attachment(media_ref=MediaRef("../NoAuth/1"), filename="x"), max_bytes=10)
    assert http.made == []


def test_a_poll_tells_each_thing_once_and_late_ones_too() -> None:
    first = [row(number, Type="Comment") for number in (401, 403)]
    adapter, http = desk(items(row(400)), items(*first), items(row(401), row(402), row(403)), items(row(401), row(402), row(403)))
    polled = adapter.poll(None)
    assert [event.event_key for event in polled.events] == ["txn:401", "txn:403"]
    assert polled.position == {"transaction": 403, "recent": [401, 403]}
    late = adapter.poll(polled.position)
    assert [event.event_key for event in late.events] == ["txn:402"]
    assert adapter.poll(late.position).events == ()
    assert "[" not in http.made[1].sent["params"]["query"]


def test_a_poll_goes_on_where_a_page_is_full() -> None:
    told, fresh = [row(number) for number in range(301, 401)], [row(number) for number in range(401, 501)]
    adapter, _ = desk(items(*told), items(*fresh), items())
    polled = adapter.poll({"transaction": 400, "recent": list(range(301, 401))})
    assert (len(polled.events), polled.has_more) == (100, True)
    assert polled.position is not None
    assert polled.position["transaction"] == 500


def signed(body: bytes, *, secret: str = SECRET) -> WebhookRequest:
    stamp = str(int(START.timestamp()))
    headers = {"x-crossdesk-timestamp": stamp, "x-crossdesk-signature": f"v1={sign(secret, stamp.encode(), b'.', body)}"}
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=body)


def test_without_a_secret_no_hook_is_believed() -> None:
    adapter, _ = desk(webhook_secret="")
    with pytest.raises(SignatureInvalid):
        adapter.verify(signed(b"{}", secret=""))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"transactions":[{"id":"1"}]}', b'{"transactions":[{"id":"1","ticket":"../1"}]}']
)
def test_a_hook_that_is_not_seed_pls_is_malformed(body: bytes) -> None:
    adapter, _ = desk()
    with pytest.raises(MalformedPayload):
        adapter.parse(signed(body))


def test_a_hook_of_nothing_is_not_carried() -> None:
    adapter, _ = desk()
    with pytest.raises(UnsupportedEvent):
        adapter.parse(signed(b'{"transactions":[]}'))


@pytest.mark.parametrize(
    ("ref", "channel", "name"),
    [
        ("42", "support", "telegram.support.42"),
        ("a_b-c", "support", "telegram.support.a_b-c"),
        ("@maria:hs", "support", None),
        ("UPPER", "support", None),
        ("a.b", "support", None),
        ("42", "Support", None),
        ("x" * 49, "support", None),
    ],
)
def test_names_are_free_of_what_rt_reads_into_them(ref: str, channel: str, name: str | None) -> None:
    made = wording.user_name(Contact(ref=ContactRef(ref)), channel=channel, platform="telegram")
    assert made == name if name else made.count(".") == 1
    assert not set(made) & set("@:/ ")


def test_a_subject_holds_its_marker_whatever_the_name() -> None:
    for name in ("😀" * 200, "ü" * 200, "a\nb\u2028c [cd:ffffffffffffffffffffffffff]", ""):
        article = dataclasses.replace(ARTICLE, author=Contact(ref=ContactRef("7"), display_name=name))
        made = wording.subject(article, MARKER)
        assert len(made.encode()) < 250
        assert len(made.splitlines()) == 1
        assert wording.marker_in(made + "\n") == MARKER
    assert wording.marker_in(f"[cd:{MARKER}] and more") is None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Hello\n\n-- \nAda\nSupport", "Hello"),
        ("Hello\n\nOn 1 May 2024 Maria wrote:\n> a\n> b", "Hello"),
        ("Hello\n-- \nAda\n\nOn 1 May 2024 Maria wrote:\n> a\n\n> b\n", "Hello"),
        ("> a\n\nHello", "> a\n\nHello"),
        ("Please use:\n> this\n> command", "Please use:\n> this\n> command"),
        ("On 1 May 2024 Maria wrote:\n> a\n\nHello", "On 1 May 2024 Maria wrote:\n> a\n\nHello"),
        ("-- \nAda", "-- \nAda"),
        ("a -- b\n--option", "a -- b\n--option"),
        ("Hello\n--\n" + "line\n" * 20 + "end", "Hello\n--\n" + "line\n" * 20 + "end"),
    ],
)
def test_only_what_clearly_hangs_below_is_cut(said: str, left: str) -> None:
    assert trim_reply(Text(said)).plain == left


def test_a_quote_that_html_marks_is_cut_as_well() -> None:
    said = "Hello\n\nOn 1 May 2024 Maria wrote:\n\nWhere\nis it?"
    quote = Mark(said.index("Where"), len(said), MarkKind.QUOTE)
    assert trim_reply(Text(said, (quote,))) == Text("Hello")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"token": ""}, "password"),
        ({"password": "x"}, "password"),
        ({"url": "rt.example"}, "url"),
        ({"webhook_secret": "short"}, "webhook_secret"),
        ({"user": "a[b"}, "user"),
        ({"closed_statuses": []}, "closed_statuses"),
        ({"que": "x"}, "que"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as refusal:
        HELPDESK.settings_schema.load({**SETTINGS, **wrong})
    assert list(refusal.value.messages_dict) == [field]


def test_without_the_extension_a_customers_message_goes_in_by_the_bridge() -> None:
    shown = ticket(
        CustomFields=[{"name": "Crossdesk Channel", "values": ["support"]}, {"name": "Crossdesk Platform", "values": ["matrix"]}]
    )
    made = says(201, ["Correspondence added"], location="/rt/REST/2.0/transaction/184")
    adapter, http = desk(says(200, shown), made, extension=True)
    assert adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER).article_ref == "184"
    assert path_of(http.made[1]) == "/crossdesk/ticket/10/correspond"
    adapter, http = desk(says(200, shown), says(404), made, extension=True)
    assert adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER).article_ref == "184"
    assert [path_of(call) for call in http.made[1:]] == ["/crossdesk/ticket/10/correspond", "/ticket/10/correspond"]
    adapter, http = desk(says(200, shown), says(502), extension=True)
    with pytest.raises(OutcomeUnknown):
        adapter.add_article(TICKET_REF, ARTICLE, marker=MARKER)
    assert len(http.made) == 2


def test_known_weaknesses_are_named_with_their_sources() -> None:
    assert {entry["id"] for entry in advisories.known_for("5.0.10")} == {"CVE-2026-108270"}
    assert "CVE-2026-108270" in {entry["id"] for entry in advisories.known_for("6.0.3")}
    assert advisories.known_for("5.0.11") == advisories.known_for("6.0.4") == advisories.known_for("of unknown version") == []
    assert all(entry["source"].startswith("https://") for entry in advisories.known_for("5.0.0"))
    for version, is_ok in (("5.0.9", False), ("5.0.11", True), ("5.0.3+dfsg-3~deb12u6", True)):
        adapter, _ = desk(says(200, {"Version": version}), says(200, {"Version": version}), says(401), says(401), says(401))
        found = next(probe for probe in adapter.probe() if probe.name == "known weaknesses")
        assert found.is_ok is is_ok
        assert ("CVE-2026-41075" in found.answer) is (version != "5.0.11")
