"""A farm whose brokers speak TLS only: bridge, commander, stewards and sentries, with the farm's own CA."""

import ssl
from pathlib import Path

import pytest

from schema.tokens import build, parse
from tests.system.farm import Farm, farmhand, wait_for

pytestmark = [pytest.mark.broker]

TOML = """\
[domains.house]
home = true
port = {}
tls = true
[domains.barn]
port = {}
tls = true
[[links]]
a = "barn"
b = "house"
[commander]
http = "127.0.0.1:{}"
"""


def test_everything_works_over_tls(tmp_path: Path) -> None:
    with Farm(tmp_path / "state", TOML).up() as farm:
        farm.enrol("barn", "attic")
        wait_for(
            "the sentry behind the bridge",
            lambda: any(n["id"] == "attic" for n in farm.api.get("/nodes", presence="ready")["items"]),
        )
        house = farm.file.domains["house"]
        seen = ssl.get_server_certificate((house.host, house.port))
        assert "BEGIN CERTIFICATE" in seen
        forged = farm.api.post("/tokens", {"domain": "house", "kind": "worker", "name": "wary"})
        domain, token_id, secret, fingerprint = parse(forged["token"])
        other = build(domain, token_id, secret, fingerprint[::-1])
        refused = farmhand("sentry", "enrol", forged["broker"], other, "--kind", "worker", "--state", tmp_path / "wary")
        assert refused.returncode == 1
        assert "is the CA of the token" in refused.stderr
