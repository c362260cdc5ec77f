"""docs/webhook-channel.openapi.json is true: what the adapter reads and writes is what it says, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from marshmallow import fields

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.model import Visibility
from plugin.platforms.webhook import wire
from plugin.platforms.webhook.adapter import PLATFORM
from plugin.platforms.webhook.events import read_event
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import Subject, load
from plugin.testing.samples import platform_calls
from plugin.testing.tables import folder_of

SUBJECT: Subject = load(PLATFORM, folder_of(PLATFORM))
EVENTS = [fixture for fixture in SUBJECT.requests if fixture.events]
WRITES = {"deliver": "message.send", "edit": "message.edit", "delete": "message.delete", "probe": "ping"}
DOCUMENT = json.loads((Path(__file__).parents[4] / "docs" / "webhook-channel.openapi.json").read_text(encoding="utf-8"))
VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**13)
    | st.text(max_size=8)
    | st.just([])
    | st.just({})
    | st.lists(st.text(max_size=3), max_size=2)
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (one for name, one in value.items() if name == "$ref")
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def test_the_document_is_whole() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in references(DOCUMENT):
        at: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


@pytest.mark.parametrize("fixture", EVENTS, ids=lambda fixture: fixture.name)
def test_each_event_that_is_read_is_in_the_contract(fixture: Any) -> None:
    validator("Event").validate(json.loads(fixture.request.body))


@pytest.mark.parametrize("schema", [*wire.KINDS.values(), wire.Author, wire.AttachedFile], ids=lambda schema: schema.__name__)
def test_both_know_the_same_fields(schema: type[wire.Wire]) -> None:
    told, known = DOCUMENT["components"]["schemas"][schema.__name__], schema().fields
    assert set(told["properties"]) == set(known)
    assert set(told.get("required", ())) == {name for name, field in known.items() if field.required}
    kinds = {fields.String: "string", fields.Integer: "integer", wire.Flag: "boolean", fields.List: "array"}
    for name, field in known.items():
        kind = told["properties"][name].get("type")
        assert kind is None or kinds[type(field)] == kind


def test_both_know_the_same_types() -> None:
    told = {one["properties"]["type"]["const"]: one["properties"]["data"]["$ref"].rpartition("/")[2] for one in event_schemas()}
    assert told == {name: schema.__name__ for name, schema in wire.KINDS.items()}


def event_schemas() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DOCUMENT["components"]["schemas"]["Event"]["oneOf"]
    return found


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(EVENTS), st.data(), VALUES | st.just("REMOVED"))
def test_what_the_contract_allows_is_read_and_what_it_forbids_is_refused(fixture: Any, data: st.DataObject, value: Any) -> None:
    event = copy.deepcopy(json.loads(fixture.request.body))
    *path, last = data.draw(st.sampled_from(list(paths(event))))
    place: Any = event
    for step in path:
        place = place[step]
    if value == "REMOVED":
        del place[last]
    else:
        place[last] = value
    try:
        read_event(event, visibility=Visibility.PUBLIC)
        is_read = True
    except (MalformedPayload, UnsupportedEvent):
        is_read = False
    assert is_read == validator("Event").is_valid(event)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*at, key))


@pytest.mark.parametrize("formatting", [True, False])
@pytest.mark.parametrize(("call", "kind"), WRITES.items())
def test_each_call_that_is_made_is_in_the_contract(call: str, kind: str, formatting: bool) -> None:
    http = CannedHttp([HttpResponse(status=200, headers={}, body=b'{"message_id": "m-1"}')])
    given_files = {"message": {"files": [{"filename": "a.txt", "content_type": "text/plain", "content": "words"}]}}
    platform_calls(SUBJECT, SUBJECT.connect(http, settings={"formatting": formatting}), given_files)[call]()
    made = http.made[0]
    sent = json.loads(made.sent["data"])
    validator("Call").validate(sent)
    assert (sent["type"], "html" in sent["data"]) == (kind, formatting and call in {"deliver", "edit"})
    named = {parameter["name"] for parameter in DOCUMENT["components"]["parameters"].values()}
    assert named <= {name.lower() for name in made.sent["headers"]}
    if call != "probe":
        assert made.sent["headers"]["Webhook-Id"] == sent["data"]["client_id"]


@pytest.mark.parametrize(
    ("choices", "visibility", "told"), [(2, "private", True), (1, "private", False), (0, "private", False), (2, "public", False)]
)
def test_words_to_press_are_in_the_contract_where_the_other_side_shows_them(choices: int, visibility: str, told: bool) -> None:
    http = CannedHttp([HttpResponse(status=200, headers={}, body=b'{"message_id": "m-1"}')])
    message = {"choices": ["Yes", "No"], "visibility": visibility}
    platform_calls(SUBJECT, SUBJECT.connect(http, settings={"choices": choices}), {"message": message})["deliver"]()
    sent = json.loads(http.made[0].sent["data"])
    validator("Call").validate(sent)
    assert sent["data"].get("choices") == (["Yes", "No"] if told else None)


def test_a_call_that_is_made_again_says_the_same() -> None:
    http = CannedHttp([HttpResponse(status=200, headers={}, body=b'{"message_id": "m-1"}')])
    for _ in range(2):
        platform_calls(SUBJECT, SUBJECT.connect(http))["deliver"]()
    first, second = http.made
    assert (first.sent["data"], first.sent["headers"]["Webhook-Id"]) == (second.sent["data"], second.sent["headers"]["Webhook-Id"])


@pytest.mark.parametrize(("call", "schema"), [("deliver", "Shown"), ("edit", "Shown"), ("find_delivered", "Found"), ("poll", "Page")])
def test_answers_that_are_taken_are_in_the_contract(call: str, schema: str) -> None:
    taken = [
        fixture
        for fixture in SUBJECT.answers
        if fixture.call == call and fixture.raises is None and fixture.name != "deliver__created.response.json"
    ]
    assert taken
    for fixture in taken:
        validator(schema).validate(fixture.answers[0].json())


def test_the_statuses_of_the_contract_are_those_that_mean_something() -> None:
    told = set(DOCUMENT["webhooks"]["calls"]["post"]["responses"])
    assert told == {"200", "204", "401", "409", "410", "422", "429", "5XX"}
    shown = {str(fixture.answers[0].status) for fixture in SUBJECT.answers}
    assert told - {"5XX"} <= shown
