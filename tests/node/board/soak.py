"""Runs on MicroPython, arguments port and count: QoS 1 publishes through one connection, past
packet id 65535."""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import gc
import sys
import time

from esp_node.link import Link

got = []
link = Link(
    "soak",
    [("127.0.0.1", int(sys.argv[1]))],
    None,
    None,
    lambda: link.subscribe("soak/echo"),
    lambda *message: got.append(message),
)
while not link.connected:
    link.serve(100)
link.pid = 60000
payload = b"x" * 200


def send(count):
    for _ in range(count):
        link.publish("soak/x", payload, False, 1)
        while link.unacked >= 16:
            link.serve(1000)


send(1000)
gc.collect()
before = gc.mem_alloc()
topic = b"soak/x"
gc.disable()
start = gc.mem_alloc()
link.publish(topic, payload, False, 1)
per_publish = gc.mem_alloc() - start
gc.enable()
began = time.ticks_ms()
send(int(sys.argv[2]))
spent = time.ticks_diff(time.ticks_ms(), began)
while link.unacked:
    link.serve(1000)
gc.collect()
grown = gc.mem_alloc() - before
link.publish("soak/echo", b"", True, 1)
link.publish("soak/echo", b"hello", False, 1)
while not got:
    link.serve(1000)
assert grown < 512, grown
assert link.reconnects == 0 and link.pid < 60000
print(per_publish, grown, int(sys.argv[2]) * 1000 // max(1, spent))
print("ok")
