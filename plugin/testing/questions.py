"""Questions that every adapter is asked, platform or helpdesk. Each yields sentences on what is wrong; silence where fixtures are due is wrong.

A question is a function of a `Subject`. Those on requests and canned answers stand in `requests_suite` and `answers_suite`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from marshmallow import ValidationError

from plugin.contracts.capabilities import Capabilities, Level, Readback
from plugin.domain.events import DeliveryUpdated, Event, MemberUnreadable, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Visibility
from plugin.testing import tables
from plugin.testing.fixtures import Subject

Question = Callable[[Subject], Iterator[str]]
_CARRIED = Level.PARTIAL
_EVENTS: dict[str, type[Event]] = {
    "receives": MessageReceived,
    "edits_in": MessageEdited,
    "deletes_in": MessageDeleted,
    "reactions_in": ReactionChanged,
    "delivery_reports": DeliveryUpdated,
}


def the_folder_is_complete(subject: Subject) -> Iterator[str]:
    """README, settings, fixtures in pairs, tests of its own."""
    yield from subject.problems
    if subject.folder is None:
        return
    readme = subject.folder / "README.md"
    if not readme.is_file() or len(readme.read_text(encoding="utf-8").split()) < 100:
        yield "README.md is missing, or too short for an admin to follow"
    if not any((subject.folder / "tests").glob("test_*.py")):
        yield "tests/ holds no test: what the suite cannot ask is asked nowhere"
    if not (subject.folder / "__init__.py").is_file():
        yield "__init__.py is missing, so that nothing can be imported from the folder"
    if not subject.requests and not subject.polls:
        yield "there is neither a .request.json nor a .poll.json: what comes in is not shown anywhere"
    if not subject.answers:
        yield "there is no .response.json: what goes out is not shown anywhere"


def the_readme_shows_the_capabilities(subject: Subject) -> Iterator[str]:
    """The generated table stands between its markers."""
    readme = subject.folder / "README.md" if subject.folder is not None else None
    if readme is not None and (
        not readme.is_file() or tables.shown(readme.read_text("utf-8")) != tables.table(subject.static.capabilities)
    ):
        yield "README.md does not show the declared capabilities; run python -m plugin.testing.tables --write"


def the_readme_names_the_settings(subject: Subject) -> Iterator[str]:
    """An admin finds each setting where the platform's set-up is told."""
    readme = subject.folder / "README.md" if subject.folder is not None else None
    told = readme.read_text("utf-8") if readme is not None and readme.is_file() else None
    if told is not None:
        yield from (f"README.md does not say what `{name}` is" for name in subject.static.settings_schema.fields if f"`{name}`" not in told)


def the_name_is_fit(subject: Subject) -> Iterator[str]:
    """Names are written into configurations and addresses."""
    static = subject.static
    if not (static.name.isidentifier() and static.name.islower() and static.name.isascii()):
        yield f"the name {static.name!r} cannot stand in crossdesk.toml"
    if not static.display_name.strip():
        yield "display_name is empty"


def settings_are_declared(subject: Subject) -> Iterator[str]:
    """Unknown keys are refused, each field has help, secrets are flagged."""
    schema = subject.static.settings_schema
    try:
        schema.load(subject.settings)
    except ValidationError as problem:
        yield f"settings.json is not valid: {problem.messages}"
        return
    try:
        schema.load({**subject.settings, "no_such_setting": 1})
        yield "a misspelt setting is passed over; give the schema unknown = RAISE"
    except ValidationError as problem:
        if "no_such_setting" not in json.dumps(problem.messages):
            yield f"a misspelt setting is not named in the mistakes: {problem.messages}"
    for name, field in schema.fields.items():
        if not str(field.metadata.get("help", "")).strip():
            yield f"the setting {name} has no help"
        if not isinstance(field.metadata.get("secret"), bool):
            yield f"the setting {name} does not say whether it is secret"
        if _sounds_secret(name) and field.metadata.get("secret") is False:
            yield f"the setting {name} sounds like a secret and is not flagged as one"
    if _is_mutable(schema.load(subject.settings)):
        yield "the loaded settings are no frozen dataclass"


def secrets_are_hidden(subject: Subject) -> Iterator[str]:
    """No secret in the repr of the settings or the adapter, nor in the mistakes of the settings."""
    if not subject.secrets:
        yield "settings.json holds no secret: a request could not be verified, a call not be signed in"
    loaded = subject.static.settings_schema.load(subject.settings)
    adapter = subject.connect()
    shown = {
        "settings": f"{loaded!r} {loaded}",
        "adapter": f"{adapter!r} {adapter}",
        "adapter's parts": repr(getattr(adapter, "__dict__", "")),
    }
    for name, field in subject.static.settings_schema.fields.items():
        if field.metadata.get("secret") and isinstance(value := subject.settings.get(name), str):
            for changes in ({"no_such_setting": value}, {name: [value]}, {name: value + "\n"}):
                try:
                    subject.static.settings_schema.load({**subject.settings, **changes})
                except ValidationError as problem:
                    shown[f"mistakes of {name}"] = f"{problem} {problem.messages}"
    for where, text in shown.items():
        if any(secret in text for secret in subject.secrets):
            yield f"a secret shows in the {where}"


def declared_events_are_shown(subject: Subject) -> Iterator[str]:
    """Each declared event type has a fixture, and no fixture has another. What cannot be read is no ability: it may come everywhere."""
    declared = subject.static.capabilities.events
    told = {type(event) for event in subject.events} - {MemberUnreadable}
    if not declared:
        yield "no event is declared"
    yield from (f"{kind.__name__} is declared and no fixture becomes one" for kind in declared - told)
    yield from (f"{kind.__name__} is in a fixture and not declared" for kind in told - declared)


def events_agree_with_the_levels(subject: Subject) -> Iterator[str]:
    """What is said to come in comes as its event (platforms)."""
    capabilities: Capabilities = subject.static.capabilities
    for name, kind in _EVENTS.items():
        level = getattr(capabilities, name)
        if level >= Level.FALLBACK and kind not in capabilities.events:
            yield f"{name} is {level.name}, but {kind.__name__} is not among the events"
        if level <= Level.DROPPED and kind in capabilities.events:
            yield f"{name} is {level.name}, but {kind.__name__} is among the events"
    for event in subject.events:
        if isinstance(event, MessageReceived) and event.visibility not in capabilities.visibilities:
            yield f"{event.event_key} is {event.visibility}, which is not among the visibilities"


def limits_are_whole(subject: Subject) -> Iterator[str]:
    """Limits come with what is needed to keep them."""
    capabilities: Capabilities = subject.static.capabilities
    limits = capabilities.limits
    if (limits.text_length is None) != (limits.ruler is None):
        yield "a text limit needs its ruler, and a ruler its limit"
    if limits.ruler is not None and limits.ruler.measure("") != 0:
        yield f"the ruler {limits.ruler.name} finds something in an empty text"
    if limits.text_length is not None and limits.text_length < 100:
        yield "a limit below 100 leaves no room for a sentence"
    takes_files = limits.files_per_message > 0 or capabilities.limits_of(Visibility.PRIVATE).files_per_message > 0
    if (capabilities.attachments_out >= _CARRIED) != takes_files:
        yield "attachments_out and files_per_message disagree"
    if limits.files_per_message and limits.file_bytes is None:
        yield "files go out and no largest size is declared"
    if any(capabilities.readback_of(each) is Readback.LAGGING for each in Visibility) != (limits.readback_lag > 0):
        yield "readback is lagging exactly where there is a lag"
    if limits.concurrency < 1 or limits.max_lifetime <= 0:
        yield "concurrency and max_lifetime must be above zero"
    bound = subject.connect().capabilities
    if bound.events != capabilities.events or any(bound.readback_of(each) is not capabilities.readback_of(each) for each in Visibility):
        yield "the bound adapter declares other events or another readback than the static one"


def told(problems: Sequence[str], *, most: int = 20) -> str:
    """The problems as a failing test shows them: each once, and not more than can be read."""
    once = list(dict.fromkeys(problems))
    return "\n".join([*once[:most], *([f"... and {len(once) - most} more"] if len(once) > most else [])])


BOTH: tuple[Question, ...] = (
    the_folder_is_complete,
    the_readme_shows_the_capabilities,
    the_readme_names_the_settings,
    the_name_is_fit,
    settings_are_declared,
    secrets_are_hidden,
    declared_events_are_shown,
    limits_are_whole,
)


def _sounds_secret(name: str) -> bool:
    return any(word in name for word in ("token", "secret", "password", "private_key", "api_key"))


def _is_mutable(settings: Any) -> bool:
    parameters = getattr(type(settings), "__dataclass_params__", None)
    return parameters is None or not parameters.frozen
