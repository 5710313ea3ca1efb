"""What the scripts of this folder ask of a sensor. Once this is imported, the virtual board is in place."""
# ruff: noqa: PT017, PT018 (plain asserts: MicroPython has no pytest)

from esp_node.virtual import board

board.install()

import gc  # noqa: E402
import time  # noqa: E402  (the virtual one)

from schema.errors import Invalid  # noqa: E402


def attach(**device):
    """The model of one device on the board."""
    model = board.attach({"devices": [device]})[0]
    gc.collect()  # a heap of 64 KB holds board, model, sensor and script, but only without holes
    return model


def near(value, expected, tolerance):
    """Floats of a board are single precision, and a converter has steps."""
    assert abs(value - expected) <= tolerance, (value, expected)


def error(kind, call, *arguments):
    """The text of the exception of type `kind` (not a subclass) that call(*arguments) must raise."""
    try:
        call(*arguments)
    except Exception as problem:
        assert type(problem) is kind, (kind, problem)
        return str(problem)
    raise AssertionError("no " + kind.__name__)


def refuses(module, options, field, contains=""):
    """create() must refuse `options` with an Invalid that names `field`."""
    try:
        module.create(None, options)
    except Invalid as problem:
        assert problem.field == field and contains in problem.problem, problem
    else:
        raise AssertionError(options)


def i2c_faults(module, chip, sensor, settle_ms, writes=True):
    """A chip that is absent, talks garbage, breaks off or holds the clock, while it measures and while it is set up. It
    comes back each time, `settle_ms` after the first get()."""
    start = time.ticks_us()
    before = sensor.get()
    assert time.ticks_diff(time.ticks_us(), start) < 10000  # the bus at 100 kHz included
    heard = []
    receive = chip.receive
    chip.receive = lambda data: heard.append(bytes(data)) or receive(data)
    assert sensor.get() == before
    chip.receive = receive
    assert all(len(data) == 1 for data in heard), heard  # it is set up once
    chip.set({"fault": "stretch"})
    chip.stretch_us = 4000  # within the bus's patience
    assert sensor.get() == before
    chip.stretch_us = 1000000
    for fault, kind, word in (
        ("absent", OSError, "no answer"),
        ("garbage", ValueError, ""),
        ("nak", OSError, "broke off"),
        ("stretch", OSError, "no answer"),
    ):
        chip.set({"fault": fault})
        for _ in range(3):
            start = time.ticks_us()
            assert word in error(kind, sensor.get), fault
            assert time.ticks_diff(time.ticks_us(), start) < 10000, fault
        chip.set({"fault": None})
        sensor.get()  # sets it up again; after a power cut it has not measured yet
        time.sleep_ms(settle_ms)
        assert sensor.get() == before, fault
    chip.power_on()
    fresh = module.create(None, sensor.options)
    chip.set({"fault": "garbage"})
    assert "wrong chip" in error(ValueError, fresh.get)
    if writes:  # the register's address is acknowledged, the value written to it is not
        chip.set({"fault": "nak"})
        chip.acks = 1
        assert "broke off" in error(OSError, fresh.get)
        chip.acks = 0
    chip.set({"fault": None})
    fresh.get()
    time.sleep_ms(settle_ms)
    assert fresh.get() == before
