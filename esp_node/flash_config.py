"""What a person says to `farmhand node flash`, as the files that the node reads: config.json, ca.der, webrepl_cfg.py.
CPython only. Invalid names the option that is wrong."""

import hashlib
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esp_node.config import check
from esp_node.settings import check_given
from schema import tokens
from schema.errors import Invalid

# What says that software from afar is in use: what comes by cable counts now.
FROM_AFAR = ("slots.json", "lib/manifest.json")
# What a node keeps of the farm it was in: gone with a new configuration.
OF_AN_EARLIER_LIFE = ("credential.json", "nonce.json", "seen.json", "settings.json", "parts.json", *FROM_AFAR)


@dataclass(frozen=True)
class Wish:
    """The options of the command; `config` is a config.json to start from."""

    token: str = ""
    brokers: tuple[str, ...] = ()
    wifi: tuple[str, ...] = ()
    node: str = ""
    root: str = ""
    sensors: str = ""
    ca: Path | None = None
    config: Path | None = None
    webrepl: str = ""
    keep_config: bool = False

    def secrets(self) -> list[str]:
        return [text for text in (self.token, self.webrepl, *(each.partition(":")[2] for each in self.wifi)) if text]


@dataclass
class Settings:
    """`files`: name in the board's root -> bytes; `remove`: names there that must go."""

    files: dict[str, bytes] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


def settings_of(wish: Wish) -> Settings:
    """The files to write for a wish."""
    result = Settings(remove=FROM_AFAR)
    if wish.webrepl:
        result.files["webrepl_cfg.py"] = f"PASS = {_webrepl(wish.webrepl)!r}\n".encode()
    if wish.keep_config:
        _refuse_besides_keep(wish)
        return result
    config = _from_file("config", wish.config) if wish.config else {}
    if wish.token or "token" not in config:
        config["token"] = _token(wish.token)
    if wish.brokers:
        config["brokers"] = [_broker(text, bool(wish.ca or config.get("ca"))) for text in wish.brokers]
    if "brokers" not in config:
        raise Invalid("--broker", "must be given: HOST or HOST:PORT of the domain's broker, as the board reaches it")
    if wish.wifi:
        config["wifi"] = [network(text) for text in wish.wifi]
    for key in ("node", "root"):
        if value := getattr(wish, key):
            config[key] = value
    if wish.sensors:
        config["sensors"] = _sensors(wish.sensors)
    if wish.ca:
        result.files["ca.der"] = certificate(wish.ca, config["token"])
        config["ca"] = "ca.der"
    check(config)
    check_given(config)
    result.files["config.json"] = json.dumps(config).encode()
    result.remove = OF_AN_EARLIER_LIFE
    return result


def _refuse_besides_keep(wish: Wish) -> None:
    for key in ("token", "brokers", "wifi", "node", "root", "sensors", "ca", "config"):
        if getattr(wish, key):
            option = "--broker" if key == "brokers" else f"--{key}"
            raise Invalid(option, "cannot go with --keep-config, which leaves the board's config.json as it is")


def _token(text: str) -> str:
    if not text:
        raise Invalid("--token", "must be given; make one: farmhand token create DOMAIN esp")
    try:
        tokens.parse(text)
    except Invalid as error:
        raise Invalid("--token", error.problem) from None
    return text.strip()


def _broker(text: str, has_ca: bool) -> list[Any]:
    """[host, port]; `text` may be the address that `farmhand token create` shows, mqtt://... or mqtts://..."""
    scheme, slashes, rest = text.rpartition("://")
    if slashes and scheme not in ("mqtt", "mqtts"):
        raise Invalid("--broker", f"must begin with mqtt:// or mqtts://, or with neither, not {scheme}://")
    if scheme == "mqtts" and not has_ca:
        raise Invalid("--broker", "mqtts:// needs --ca, the farm's certificate")
    if scheme == "mqtt" and has_ca:
        raise Invalid("--broker", "mqtt:// is without TLS: leave out --ca, or name the port that speaks TLS")
    host, colon, port = rest.rpartition(":") if ":" in rest and not rest.endswith("]") else (rest, "", "")
    if not colon:
        port = "8883" if has_ca else "1883"
    if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Invalid("--broker", f"must be HOST or HOST:PORT with a port from 1 to 65535, not {text!r}")
    return [host.strip("[]"), int(port)]


def network(text: str) -> list[str]:
    ssid, colon, password = text.partition(":")
    if not colon:
        raise Invalid("--wifi", "must be SSID:PASSWORD; a network without a password is SSID: with the colon")
    if not 1 <= len(ssid.encode()) <= 32:
        raise Invalid("--wifi", "the name of a network has 1 to 32 bytes")
    if password and not 8 <= len(password.encode()) <= 64:
        raise Invalid("--wifi", f"the password of {ssid} must have 8 to 64 characters, as WPA has it")
    return [ssid, password]


def _webrepl(password: str) -> str:
    if not 4 <= len(password) <= 9 or not password.isascii() or not password.isprintable():
        raise Invalid("--webrepl", "must have 4 to 9 plain characters: WebREPL takes no more")
    return password


def _sensors(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return _json("sensors", text)
    return _from_file("sensors", Path(text))


def _from_file(option: str, path: Path) -> Any:
    try:
        return _json(option, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(f"--{option}", f"{path}: {error.strerror}") from None


def _json(option: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Invalid(f"--{option}", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Invalid(f"--{option}", "must be a JSON object")
    return value


def certificate(path: Path, token: str) -> bytes:
    """The CA in DER, which all boards read; refused when it is not the one that the token names."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Invalid("--ca", f"{path}: {error.strerror}") from None
    if b"-----BEGIN CERTIFICATE-----" in raw:
        try:
            raw = ssl.PEM_cert_to_DER_cert(raw[raw.index(b"-----BEGIN") :].decode("ascii"))
        except ValueError as error:
            raise Invalid("--ca", f"{path}: {error}") from None
    if raw[:1] != b"\x30":
        raise Invalid("--ca", f"{path}: is no certificate, neither PEM nor DER")
    wanted = tokens.parse(token)[3]
    if wanted and hashlib.sha256(raw).hexdigest() != wanted.lower():
        raise Invalid("--ca", f"{path}: is not the CA that the token names; it is ca/ca.pem in the farm's folder")
    return raw
