"""node.chain.*: samples/s from a sensor through a mean of 10 and a frame of 10 to a publish, one thread, one process.

Each peer takes the same samples, (time, value), gathers ten, maps their mean, gathers ten means and packs them with
msgpack's C library into the same frame; whoever publishes other bytes ends the run. ThingFlow gathers with its
buffer_with_count; the operators of the others that do it (buffer_with_count, partition) are many times slower than what
they accumulate with a function of the caller's, so that is used.
"""

import gc
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import reactivex
import streamz
import thingflow.filters.buffer
import thingflow.filters.map  # noqa: F401 (these two modules give things their methods)
from reactivex import operators
from thingflow.base import SensorAsOutputThing

from esp_node import chains, graph, streams
from esp_node.build import build
from esp_node.framing import Framed
from tests.bench.figures import Benchmark, Figure, Unavailable, seconds
from tests.conftest import ROOT, program
from tests.node.rig import UMQTT

T = 1_700_000_000_000
STREAMS = {
    "room": {"from": "probe", "steps": [{"step": "mean", "count": 10}], "send": "frame", "frame": {"values": 10}}
}
Publish = Callable[[bytes], None]
Feed = Callable[[int], None]  # lets so many samples through
Chain = Callable[[Publish], Feed]
Sample = tuple[int, float]


class Probe:
    """The sensor: a new value 10 times a second. Quarters add up without a rounding error, however they are added."""

    sensor_id = "probe"

    def __init__(self) -> None:
        self.values = itertools.cycle([(i % 97) / 4 for i in range(97)])

    def get(self) -> tuple[float]:
        return (next(self.values),)


class TimedProbe(Probe):
    """The same, as ThingFlow's sensors are."""

    def __init__(self) -> None:
        super().__init__()
        self.ts = T - 100

    def sample(self) -> Sample:
        self.ts += 100
        return self.ts, next(self.values)


class OneNode:
    """As much of a node, and of its link, as a stream's frames use."""

    prefix = ""
    connected = True

    def __init__(self, publish: Publish) -> None:
        self.link = self
        self.sent = publish

    def publish(self, topic: str, payload: memoryview, retain: bool, qos: int) -> None:
        self.sent(bytes(payload))


def ours(publish: Publish) -> Feed:
    def sink(name: str, about: dict[str, Any]) -> Callable[[int, float], None]:
        return Framed(OneNode(publish), name, about).add

    sensors = {"probe": (("temp_c",), ("°C",), (1,))}
    entry = chains.joined(graph.made(streams.settled(STREAMS), sensors), sensors, sink)["probe"]
    get = Probe().get

    def feed(count: int) -> None:
        for i in range(count):
            entry(T + i * 100, get())

    return feed


def mean(samples: list[Sample]) -> Sample:
    return samples[-1][0], sum([value for _, value in samples]) / len(samples)


def gather(gathered: list[Sample], sample: Sample) -> list[Sample]:
    if len(gathered) == 10:
        return [sample]
    gathered.append(sample)
    return gathered


def full(gathered: list[Sample]) -> bool:
    return len(gathered) == 10


def framer() -> Callable[[list[Sample]], bytes]:
    numbers = itertools.count()

    def frame(samples: list[Sample]) -> bytes:
        return msgpack.packb([next(numbers), samples[0][0], [round(value * 100) for _, value in samples]])  # type: ignore[return-value]

    return frame


def with_thingflow(publish: Publish) -> Feed:
    sensor = SensorAsOutputThing(TimedProbe(), make_event_fn=lambda _, sample: sample)
    sensor.buffer_with_count(10).map(mean).buffer_with_count(10).map(framer()).connect(publish)

    def feed(count: int) -> None:
        for _ in range(count):
            sensor._observe()

    return feed


def with_reactivex(publish: Publish) -> Feed:
    source = reactivex.Subject()
    source.pipe(
        operators.scan(gather, []),
        operators.filter(full),
        operators.map(mean),
        operators.scan(gather, []),
        operators.filter(full),
        operators.map(framer()),
    ).subscribe(publish)
    sample = TimedProbe().sample

    def feed(count: int) -> None:
        for _ in range(count):
            source.on_next(sample())

    return feed


def with_streamz(publish: Publish) -> Feed:
    source = streamz.Stream()
    means = source.accumulate(gather, start=[]).filter(full).map(mean)
    means.accumulate(gather, start=[]).filter(full).map(framer()).sink(publish)
    sample = TimedProbe().sample

    def feed(count: int) -> None:
        for _ in range(count):
            source.emit(sample())

    return feed


PEERS: dict[str, Chain] = {"thingflow": with_thingflow, "reactivex": with_reactivex, "streamz": with_streamz}


def rate(chain: Chain, count: int) -> float:
    """Samples per second of processor time: the machine may have other things to do meanwhile."""
    published: list[bytes] = []
    feed = chain(published.append)
    gc.collect()
    begin = time.process_time()
    feed(count)
    spent = time.process_time() - begin
    if len(published) != count // 100:
        raise RuntimeError(f"{len(published)} frames of {count} samples")
    return count / spent


def first_frames(chain: Chain) -> list[bytes]:
    frames: list[bytes] = []
    chain(frames.append)(10_000)
    return frames


def compare() -> dict[str, float]:
    """Ours and each peer in turn, ten rounds; the best of each counts, which no neighbour disturbed."""
    result: dict[str, float] = {}
    for name, peer in PEERS.items():
        if first_frames(peer) != first_frames(ours):
            raise RuntimeError(f"{name} publishes other frames")
        count = max(1, int(rate(peer, 10_000) * seconds(0.5) / 100)) * 100
        rounds = [(rate(ours, count), rate(peer, count)) for _ in range(10)]
        result[f"node.chain.{name}"] = max(mine for mine, _ in rounds)
        result[f"node.chain.{name}/peer"] = max(theirs for _, theirs in rounds)
    result["node.chain.lead"] = min(result[f"node.chain.{name}"] / result[f"node.chain.{name}/peer"] for name in PEERS)
    return result


def on_micropython() -> dict[str, float]:
    micropython = program("micropython")
    if micropython is None:
        raise Unavailable("MicroPython is not on this machine: run `make setup`")
    with tempfile.TemporaryDirectory(prefix="farmhand-bench-") as folder:
        node = build(Path(folder), UMQTT, bundles=False).parent
        script = ROOT / "tests" / "node" / "board" / "chain.py"
        done = subprocess.run(
            [micropython, "-X", "heapsize=64k", str(script), str(int(seconds(200_000)))],
            env={**os.environ, "MICROPYPATH": str(node)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return {"node.chain.micropython": json.loads(done.stdout)["rate"]}


def benchmarks() -> list[Benchmark]:
    beside = tuple(Figure(f"node.chain.{name}", "samples/s", "higher", None, name) for name in PEERS)
    lead = Figure("node.chain.lead", "x the nearest peer", "higher", 1)
    own = Figure("node.chain.micropython", "samples/s", "higher")
    return [Benchmark((*beside, lead), compare), Benchmark((own,), on_micropython)]
