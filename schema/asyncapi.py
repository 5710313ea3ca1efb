"""All messages as an AsyncAPI 3 document (CPython only).

python -m schema.asyncapi          write asyncapi.yaml and esp_node's slim table
python -m schema.asyncapi --check  exit 1 when a committed file is stale
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from schema import fleet, slim
from schema.message import MAX_PAYLOAD, TIME_MAX, Message
from schema.messages import MESSAGES
from schema.mining import RECORDS
from schema.units import UNITS

TARGET = Path(__file__).parent / "asyncapi.yaml"
ALL = tuple(MESSAGES.values())
ROOT = "farm"

PARAMETERS = {
    "domain": "Network domain: one broker.",
    "node": "Id of the node (also its MQTT user); for enrolment the token's id.",
    "device": "`self` for the node itself, else the thing it owns.",
    "name": "Part, type, document, command or stream.",
    "to": "Domain the frame is carried to.",
}
PLAIN = {
    "int": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "num": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {
        "type": "integer",
        "minimum": 0,
        "maximum": TIME_MAX,
        "description": "ms since 1970 UTC, 0: clock not set",
    },
    "text": {"type": "string", "maxLength": 1024},
    "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"},
    "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "bytes": {"type": "string", "contentEncoding": "binary"},
    "scalar": {"type": ["null", "boolean", "number", "string"]},
    "json": {},
    "units": {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "string", "enum": list(UNITS)}},
    },
}


def kind_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a kind of field."""
    word, _, rest = kind.partition(" ")
    if not rest:
        return dict(PLAIN[word])
    match word:
        case "int":
            low, high = rest.split("..")
            return {"type": "integer", "minimum": int(low), "maximum": int(high)}
        case "text":
            return {"type": "string", "maxLength": int(rest)}
        case "word":
            return {"type": "string", "enum": rest.split(" ")}
        case "list":
            return {"type": "array", "items": kind_schema(rest)}
        case "map":
            return {"type": "object", "additionalProperties": kind_schema(rest)}
        case "record":
            return object_schema(RECORDS[rest])
        case _:
            raise ValueError(f"no such kind of field: {kind}")


def object_schema(message: Message) -> dict[str, Any]:
    """JSON Schema of the fields of a message."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, kind, unit, text in message.fields:
        if not name.endswith("?"):
            required.append(name)
        described = f"{text} ({unit})" if unit else text
        properties[name.removesuffix("?")] = kind_schema(kind) | {"description": described}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = kind_schema(message.extra) if message.extra else False
    return schema


def payload_schema(message: Message) -> dict[str, Any]:
    """JSON Schema of a payload; a signed one carries its body as text."""
    if message.body == "word":
        _, kind, _, text = message.fields[0]
        return kind_schema(kind) | {"description": text}
    if message.body == "frame":
        return {"type": "array"}
    if message.body == "signed":
        body = {"type": "string", "contentMediaType": "application/json", "contentSchema": object_schema(message)}
        properties = {"sig": {"type": "string", "description": "base64; covers topic, newline, body"}, "body": body}
        return {"type": "object", "required": ["sig", "body"], "additionalProperties": False, "properties": properties}
    return object_schema(message)


def document() -> dict[str, Any]:
    """The AsyncAPI 3 document."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for message in ALL:
        key = message.key.replace("/", "-")
        names = [level[1:-1] for level in message.topic.split("/") if level.startswith("{")]
        channel: dict[str, Any] = {
            "address": f"{ROOT}/{message.topic}",
            "messages": {key: {"$ref": f"#/components/messages/{key}"}},
        }
        if names:
            channel["parameters"] = {name: {"description": PARAMETERS[name]} for name in names}
        channels[key] = channel
        operations[key] = {
            "action": "send" if message.way in ("down", "farm") and message.key != "bridge" else "receive",
            "channel": {"$ref": f"#/channels/{key}"},
            "summary": message.text,
            "bindings": {"mqtt": {"qos": message.qos, "retain": message.retain}},
        }
    info = {
        "title": "farmhand",
        "version": str(fleet.SCHEMA_VERSION),
        "description": f"Seen from the commander: it sends and receives these. Payloads are at most {MAX_PAYLOAD} bytes. JSON begins"
        " with { or [, anything else is msgpack.",
        "license": {"name": "Apache-2.0"},
    }
    types = {"word": "text/plain", "frame": "application/msgpack"}
    messages = {
        m.key.replace("/", "-"): {
            "summary": m.text,
            "contentType": types.get(m.body, "application/json"),
            "payload": payload_schema(m),
        }
        for m in ALL
    }
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def document_yaml() -> str:
    """The document as YAML text, the same for the same declarations."""
    head = "# Generated by schema/asyncapi.py: do not edit, run `make docs`.\n"
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)


def main() -> None:
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != document_yaml():
            sys.exit(f"{TARGET.name} is stale: run `make docs`")
    else:
        TARGET.write_text(document_yaml())
    slim.main()


if __name__ == "__main__":
    main()
