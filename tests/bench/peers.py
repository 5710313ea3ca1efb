"""What the figures stand beside: the same messages and requests without farmhand's work."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench import rig

HTTP_SERVER = """
import sys
import uvicorn
from fastapi import FastAPI, Response
body = open(sys.argv[1], "rb").read()
app = FastAPI()
@app.get("/")
async def answer() -> Response:
    return Response(body, media_type="application/json")
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


@contextmanager
def paho_sink(
    farm: rig.Rig, topic: str, on_message: Callable[[bytes], None], client_id: str = "bench-peer"
) -> Iterator[None]:
    """A paho client with the commander's own credentials at the home broker, subscribed at QoS 1."""
    home = farm.farm.domains[farm.farm.home]
    secret = json.loads((farm.state / "commander" / "secrets.json").read_text())["commander"]
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
    client.username_pw_set(secret["user"], secret["password"])
    subscribed = threading.Event()
    client.on_connect = lambda *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: on_message(message.payload)
    client.connect(home.host, home.port)
    client.loop_start()
    try:
        if not subscribed.wait(10):
            raise TimeoutError("the peer's subscription was not answered within 10 s")
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def paho_ceiling(publishers: int, seconds: float) -> float:
    """Messages/s that a paho callback takes in which does nothing; the commander is stopped, so no marks hold back."""
    with rig.running(nodes=publishers) as farm:
        rig.await_users(farm, "house")
        farm.end("commander")
        arrivals: list[float] = []
        root = farm.farm.root
        # Under the commander's own name, else the broker would also queue everything for a commander that is away.
        own = f"{root}-ingest-house"
        with paho_sink(farm, f"{root}/house/+/+/tele/+", lambda _: arrivals.append(time.monotonic()), own):
            process = rig.load_process(farm, "house", publishers, seconds, 0, window=2_000)
            seen = -1
            while seen < len(arrivals) or not arrivals:
                if process.poll() is not None:
                    raise RuntimeError(f"load generator ended with {process.returncode}")
                seen = len(arrivals)
                time.sleep(0.5)
            process.kill()
            process.wait()
    return (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])


@contextmanager
def http_of(body: bytes, folder: Path, port: int) -> Iterator[str]:
    """A FastAPI endpoint in one uvicorn worker that answers `body` and does nothing else; its URL."""
    (folder / "peer.json").write_bytes(body)
    words = [sys.executable, "-c", HTTP_SERVER, str(folder / "peer.json"), str(port)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 20
        while not any(each.laddr.port == port for each in psutil.Process(process.pid).net_connections("tcp")):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the peer's HTTP server did not start")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(10)
