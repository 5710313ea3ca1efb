"""Runs on CPython and MicroPython: every mistake in `streams` is refused, and its place is named."""
# ruff: noqa: PT017 (plain asserts: MicroPython has no pytest)

from _chains import build

from schema.errors import Invalid

SENSORS = {
    "dht22": (("temp_c", "humidity"), ("°C", "%"), (1, 1)),
    "mhz19": (("ppm",), ("ppm",), (0,)),
    "ds18b20": (("temp_c",), ("°C",), (2,)),
}


def check(streams):
    build(streams, SENSORS, lambda name, about: print)


def refused(streams, message):
    try:
        check(streams)
    except Invalid as error:
        assert str(error).startswith(message), error
    else:
        raise AssertionError("no Invalid: " + message)


def room(**changes):
    settings = {"from": "mhz19"}
    settings.update(changes)
    settings["from"] = settings.pop("source", settings["from"])
    return {"room": settings}


def stepped(*steps, source="mhz19"):
    return room(steps=list(steps), source=source)


check({})
refused([], "streams: must be an object of stream -> settings")
refused({"a b": {"from": "mhz19"}}, "streams.a b: must match")
refused({"mhz19": {"from": "dht22"}}, "streams.mhz19: is the name of a sensor")
refused({"room": "mhz19"}, "streams.room: must be an object of: frame, from, latest, send, steps")
refused({"room": {}}, "streams.room.from: must be a sensor or stream, or a list")
refused(room(source=[]), "streams.room.from: must be a sensor or stream, or a list")
refused(room(source=["mhz19", "mhz19"]), "streams.room.from: must be a sensor or stream, or a list of different ones")
refused(room(source=["mhz19", 5]), "streams.room.from: ")
refused(room(source=7), "streams.room.from: must be")
refused(room(source="co2"), "streams.room.from: unknown: co2; there are: dht22, ds18b20, mhz19")
refused(room(sent=1), "streams.room.sent: unknown; allowed: frame, from, latest, send, steps")
refused(room(send="mail"), "streams.room.send: must be tele, frame or none")
refused(room(send="none"), "streams.room.send: must not be none: no other stream reads this one")
refused(room(latest=1), "streams.room.latest: must be true or false")
refused(room(steps={}), "streams.room.steps: must be a list")
refused(room(frame=1), "streams.room.frame: must be an object")
refused(room(frame={"value": 1}), "streams.room.frame.value: unknown; allowed: frame_ms, values")
refused(room(frame={"frame_ms": 1.5}), "streams.room.frame.frame_ms: must be a whole number from 0 to 3600000")
refused(room(frame={"values": 1000}), "streams.room.frame.values: need 5018 bytes; at most 4096")
refused(stepped("mean"), "streams.room.steps.0.step: must be one of: count, debounce")
refused(stepped({"step": "_step"}), "streams.room.steps.0.step: must be one of: ")
refused(
    stepped({"step": "pass"}, {"step": "mean", "count": "10"}), "streams.room.steps.1.count: must be a whole number"
)
refused(stepped({"step": "map", "expression": ["+", "x", "y"]}), "streams.room.steps.0.expression.2: unknown field")
refused(
    stepped({"step": "map", "expression": "x", "unit": "parsec"}),
    "streams.room.steps.0.unit: unit parsec is not allowed; use one of: % °C ms s ",
)
refused(stepped({"step": "map", "expression": "x", "unit": 5}), "streams.room.steps.0.unit: unit 5 is not allowed; use")
refused(
    stepped({"step": "map", "expression": "x", "field": "in the air"}), "streams.room.steps.0.field: must match [A-"
)
refused(
    stepped({"step": "delta"}, source="dht22"),
    "streams.room.steps.0.step: takes one field: put select before it (fields: temp_c, humidity)",
)
refused(
    stepped({"step": "join", "frame_ms": 9}), "streams.room.steps.0.step: must be join where a stream comes from sev"
)
refused(stepped({"step": "pass"}, source=["mhz19", "dht22"]), "streams.room.steps.0.step: must be join where")
refused(room(source=["mhz19", "dht22"]), "streams.room.steps: must begin with join")
circle = {"a": {"from": "c"}, "b": {"from": "a"}, "c": {"from": "b"}}
refused(circle, "streams.a.from: goes in a circle: a from c from b from a")
refused({"a": {"from": "a"}}, "streams.a.from: goes in a circle: a from a")
print("ok")
