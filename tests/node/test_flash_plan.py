"""`farmhand node flash` without a board: what it makes of its options, of what is on the board, of a boot.py."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broker.certs import fingerprint, make_ca
from esp_node.flash import check, merged_boot, planned
from esp_node.flash_config import Wish, certificate, network, settings_of
from esp_node.transfer import BoardError, Look
from schema import tokens
from schema.errors import Invalid
from tests.conftest import ROOT

TOKEN = tokens.build("barn", "t-1", "token-secret")
GOOD = Look("micropython", (1, 19, 1), 6, "ESP module with ESP8266", 2**20, True, {}, frozenset())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "circuitpython"}, "runs circuitpython; the node needs MicroPython"),
        ({"version": (1, 18, 0), "mpy": 5}, "MicroPython 1.18.0 is too old"),
        ({"version": (2, 0, 0), "mpy": 7}, "MicroPython 2.0.0 is too old"),
    ],
)
def test_a_board_that_cannot_run_the_node(change: dict[str, Any], problem: str) -> None:
    check("port", GOOD, Wish())
    with pytest.raises(BoardError, match=problem):
        check("port", Look(**{**GOOD.__dict__, **change}), Wish())


def test_keep_config_needs_one() -> None:
    with pytest.raises(BoardError, match=r"has no config\.json yet"):
        check("port", GOOD, Wish(keep_config=True))


def test_a_new_configuration_forgets_the_earlier_farm(tmp_path: Path) -> None:
    there = Look(**{**GOOD.__dict__, "files": {"/seen.json": ("", 2), "/lib/other/x.py": ("", 2)}})
    (tmp_path / "a").touch()
    plan = planned(there, {"/lib/esp_node/sensors/a.mpy": tmp_path / "a"}, ("seen.json", "nonce.json"))
    assert plan.remove == ["/seen.json"]
    assert plan.folders == ["/lib", "/lib/esp_node", "/lib/esp_node/sensors"]


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_merging_keeps_what_is_not_ours(before: bytes, after: bytes) -> None:
    assume(b"# farmhand" not in before + after)
    ours = (ROOT / "esp_node" / "boot.py").read_bytes()
    once = merged_boot(before, ours)
    assert before.strip() in once
    assert merged_boot(once, ours) == once
    wrapped = before + b"\n" + ours + b"\n" + after
    newer = ours.replace(b"gc", b"newer")
    assert merged_boot(wrapped, newer) == wrapped.replace(ours, newer)


@pytest.mark.parametrize("text", [b"# farmhand: begin\n", b"# farmhand: end\n# farmhand: begin\n"])
def test_merging_refuses_a_mark_alone(text: bytes) -> None:
    with pytest.raises(BoardError, match="one of farmhand's two marks is missing"):
        merged_boot(text, b"")


WISH = Wish(token=TOKEN, brokers=("10.0.0.2",))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"token": ""}, "--token: must be given; make one: farmhand token create DOMAIN esp"),
        ({"token": TOKEN[:-9]}, "--token: is damaged: copy it again, whole"),
        ({"token": "x"}, "--token: must begin with fh1."),
        ({"brokers": ()}, "--broker: must be given"),
        ({"brokers": ("host:0",)}, "--broker: must be HOST or HOST:PORT"),
        ({"brokers": ("http://host:80",)}, "--broker: must begin with mqtt:// or mqtts://"),
        ({"brokers": ("mqtts://host",)}, "--broker: mqtts:// needs --ca"),
        ({"brokers": ("host:mqtt",)}, "--broker: must be HOST or HOST:PORT"),
        ({"wifi": ("barn",)}, "--wifi: must be SSID:PASSWORD"),
        ({"wifi": (":12345678",)}, "--wifi: the name of a network has 1 to 32 bytes"),
        ({"wifi": ("barn:short",)}, "--wifi: the password of barn must have 8 to 64 characters"),
        ({"webrepl": "abc"}, "--webrepl: must have 4 to 9 plain characters"),
        ({"webrepl": "0123456789"}, "--webrepl: must have 4 to 9 plain characters"),
        ({"node": "Esp 1"}, "node: must match"),
        ({"sensors": "{"}, "--sensors: is not JSON"),
        ({"sensors": "{}[]"}, "--sensors: is not JSON"),
        ({"sensors": "/no/file.json"}, "--sensors: /no/file.json: No such file"),
        ({"sensors": '{"no": true}'}, "sensors.no: unknown sensor"),
        ({"config": Path("/no/file")}, "--config: /no/file: No such file"),
        ({"ca": Path("/no/file")}, "--ca: /no/file: No such file"),
        ({"ca": Path(__file__)}, "is no certificate, neither PEM nor DER"),
        ({"keep_config": True}, "--token: cannot go with --keep-config"),
        ({"keep_config": True, "token": ""}, "--broker: cannot go with --keep-config"),
    ],
)
def test_a_wrong_option_is_named(change: dict[str, Any], problem: str) -> None:
    settings_of(WISH)
    with pytest.raises(Invalid) as caught:
        settings_of(Wish(**{**WISH.__dict__, **change}))
    assert problem in str(caught.value)


def test_options_become_config_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"interval_s": 30, "root": "yard"}')
    (tmp_path / "sensors.json").write_text('{"load": true}')
    brokers = ("mqtt://10.0.0.2:1885", "10.0.0.2", "[fd00::2]:1884")
    named = {"sensors": str(tmp_path / "sensors.json"), "config": tmp_path / "config.json"}
    wish = Wish(TOKEN, brokers, node="esp-3", **named)
    assert json.loads(settings_of(wish).files["config.json"]) == {
        "interval_s": 30, "root": "yard", "token": TOKEN, "node": "esp-3", "sensors": {"load": True},
        "brokers": [["10.0.0.2", 1885], ["10.0.0.2", 1883], ["fd00::2", 1884]],
    }  # fmt: skip


def test_the_ca_is_that_of_the_token_and_becomes_der(tmp_path: Path) -> None:
    ours, theirs = (make_ca(name)[0] for name in ("farm", "another"))
    token = tokens.build("barn", "t-1", "s", fingerprint(ours))
    (tmp_path / "ca.pem").write_text(ours)
    der = certificate(tmp_path / "ca.pem", token)
    assert hashlib.sha256(der).hexdigest() == fingerprint(ours)
    (tmp_path / "ca.der").write_bytes(der)
    assert certificate(tmp_path / "ca.der", token) == der
    (tmp_path / "ca.pem").write_text(theirs)
    with pytest.raises(Invalid, match="is not the CA that the token names"):
        certificate(tmp_path / "ca.pem", token)
    assert certificate(tmp_path / "ca.pem", TOKEN)  # a farm without TLS names none


def test_a_network_and_its_password() -> None:
    assert network("barn:pass:word") == ["barn", "pass:word"]
    assert network("open:") == ["open", ""]
