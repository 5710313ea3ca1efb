"""The ASICs of `farmhand up --asics N`: simulated ones on loopback, and a sentry of kind `asic` that watches them as it
would watch real ones in the local network.
"""

from commander.api import Api

NODE = "asics"
FIRST = "127.1.0.1"


def simulator(count: int, port: int) -> list[str]:
    """Arguments of `farmhand`: so many at addresses of their own, all at one port."""
    return ["asic", "simulate", str(count), "--type", "mixed", "--host", FIRST, "--port", str(port)]


def define(api: Api, count: int, port: int) -> None:
    """Have the sentry check and watch them; those of an earlier `up` are replaced, since their port was another."""
    for old in api.get(f"/nodes/{NODE}/asics", limit=1000)["items"]:
        if old["name"].startswith("demo-"):
            api.delete(f"/nodes/{NODE}/asics/{old['name']}")
    head, _, last = FIRST.rpartition(".")
    new = [
        {"name": f"demo-{number + 1}", "type": "auto", "host": f"{head}.{int(last) + number}", "port": port}
        for number in range(count)
    ]
    for begin in range(0, count, 20):
        api.post(f"/nodes/{NODE}/asics", {"asics": new[begin : begin + 20]})
