"""The AsyncAPI document: up to date, complete, and valid by the official schema."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from schema import asyncapi, message
from schema.message import Message, check, checker
from schema.messages import MESSAGES
from tests.conftest import ROOT
from tests.schema.strategies import PLAIN

OFFICIAL = ROOT / ".local" / "asyncapi" / "schemas" / "3.0.0.json"
each_message = pytest.mark.parametrize("declared", MESSAGES.values(), ids=list(MESSAGES))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return yaml.safe_load(asyncapi.TARGET.read_text())


def test_the_committed_document_is_up_to_date() -> None:
    assert asyncapi.TARGET.read_text() == asyncapi.document_yaml(), "run `make docs`"


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the AsyncAPI schemas are not here; `make setup` fetches them")
def test_it_is_valid_by_the_official_schema(document: dict[str, Any]) -> None:
    official = json.loads(OFFICIAL.read_text())
    jsonschema.Draft7Validator(official).validate(document)
    broken = {**document, "channels": {"state": {"address": 5}}}
    assert not jsonschema.Draft7Validator(official).is_valid(broken)


@each_message
def test_every_message_and_field_is_in_it(document: dict[str, Any], declared: Message) -> None:
    key = declared.key.replace("/", "-")
    channel, operation = document["channels"][key], document["operations"][key]
    assert channel["address"] == f"farm/{declared.topic}"
    assert set(channel.get("parameters", {})) == set(re.findall(r"{(\w+)}", declared.topic))
    assert operation["bindings"]["mqtt"] == {"qos": declared.qos, "retain": declared.retain}
    payload = document["components"]["messages"][key]["payload"]
    if declared.body == "signed":
        payload = payload["properties"]["body"]["contentSchema"]
    if declared.body in ("object", "signed"):
        assert set(payload["properties"]) == {name.removesuffix("?") for name, *_ in declared.fields}
        assert set(payload.get("required", [])) == {n for n, *_ in declared.fields if not n.endswith("?")}
        for name, _kind, unit, text in declared.fields:
            shown = payload["properties"][name.removesuffix("?")]["description"]
            assert text in shown
            assert not unit or f"({unit})" in shown


@each_message
def test_the_json_schemas_are_sound(declared: Message) -> None:
    jsonschema.Draft7Validator.check_schema(asyncapi.object_schema(declared))


def test_every_kind_of_the_table_is_covered() -> None:
    """Docstring of message.py, checkers, JSON schemas and strategies name the same kinds."""
    table = re.findall(r"^    (\S.*?)\s{2,}", message.__doc__ or "", re.MULTILINE)
    words = {part.split()[0] for entry in table for part in entry.split("|")}
    assert words == {"word", "list", "map", "record", *PLAIN}
    assert set(asyncapi.PLAIN) == set(PLAIN)
    for kind in (*PLAIN, "int 0..9", "text 5", "word a b", "list int", "map list word a b", "record job"):
        assert callable(checker(kind))
        assert isinstance(asyncapi.kind_schema(kind), dict)
    for unknown in ("colour", "colour red"):
        with pytest.raises(ValueError, match="no such kind"):
            checker(unknown)


@each_message
def test_every_declaration_can_be_checked(declared: Message) -> None:
    if declared.body != "frame":
        by_name, required, _ = declared.checks()
        assert set(required) <= set(by_name)
    with pytest.raises(message.Invalid):
        check(declared, 5)
