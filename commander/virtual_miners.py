"""The miners of `farmhand up --miners N`: a simulated miner is told to the commander as a real one would be: a
release by its checksum, templates, a playbook each. It hashes nothing and connects to no pool. With another release,
pool and address the same sentry runs a real one.
"""

import os
import platform
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from commander.api import Api

PROGRAM = Path(__file__).parents[1] / "sentry" / "mining" / "simulated_miner.py"
SOFTWARE, RELEASE, PLATFORM = "simulated", "1.0", f"linux-{platform.machine()}"
ADDRESS = "nobody-is-paid"
ARGUMENTS = [
    "--http-port", "{{ api.port }}", "--http-access-token", "{{ api.token }}", "--http-no-restricted",
    "--url", "{{ pool.url }}", "--user", "{{ pool.user }}", "--pass", "{{ pool.password }}",
    "--algo", "{{ algorithm }}", "--rig-id", "{{ worker }}",
]  # fmt: skip


def environment(miners: int) -> dict[str, str]:
    """Of the sentry that runs them. They end with it: whoever tries a farm wants nothing left behind."""
    found = {"FARMHAND_MINER_OUTLIVE": "no"}
    if miners and os.getuid() == 0:  # our own program; a farm of one's own names an unprivileged user
        found["FARMHAND_MINER_ALLOW_ROOT"] = "yes"
    return found


def define(api: Api, state: Path, node: str, count: int) -> None:
    """Tell the commander of the program, the templates, and so many playbooks for ``node``; those of an earlier `up`
    that are too many are removed."""
    path = state / "run" / "simulated-miner"
    shutil.copy(PROGRAM, path)
    path.chmod(0o755)
    about = {"title": "Simulated miner", "licence": "Apache-2.0", "platforms": [PLATFORM], "mines": ["cpu"]}
    software = {**about, "homepage": "", "adapter": "xmrig", "api_port": 44_100, "arguments": ARGUMENTS}
    pool = {"coin": "demo", "urls": [{"url": "stratum+tcp://pool.invalid:3333", "tls": False}]}
    release = {"path": str(path), "sha256": sha256(path.read_bytes()).hexdigest(), "archive": "none"}
    for record, data in (
        ("templates/coin/demo", {"algorithm": "rx/0", "title": "no coin: nothing is hashed"}),
        ("templates/pool/demo", pool),
        ("templates/address/demo", {"coin": "demo", "address": ADDRESS}),
        (f"software/{SOFTWARE}", software),
        (f"software/{SOFTWARE}/releases/{RELEASE}/{PLATFORM}", release),
    ):
        api.put(f"/mining/{record}", {"data": data})
    wanted = {f"demo-{number}" for number in range(1, count + 1)}
    for name in sorted(wanted):
        api.put(f"/mining/playbooks/{name}", {"data": _playbook(node)})
    for row in api.get("/mining/playbooks", limit=1000)["items"]:
        if row["data"]["software"] == SOFTWARE and row["name"].startswith("demo-") and row["name"] not in wanted:
            api.delete(f"/mining/playbooks/{row['name']}")


def _playbook(node: str) -> dict[str, Any]:
    return {
        "software": SOFTWARE,
        "release": RELEASE,
        "kind": "cpu",
        "mine": [{"pool": "demo", "address": "demo"}],
        "watchdog": [{"watch": "hashrate", "below": 100, "for_s": 60, "act": "restart-miner"}],
        "targets": {"nodes": [node]},
    }
