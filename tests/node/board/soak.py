"""Runs on MicroPython, arguments port and count: QoS 1 publishes through one connection, past packet id 65535. Prints
{"rate": publishes/s, "bytes": allocated per publish, "writes": system calls that write per publish, "grown": bytes}.
"""
# ruff: noqa: PT018 (plain asserts: MicroPython has no pytest)

import gc
import json
import sys
import time

import micropython

from esp_node.link import Link

COUNT = int(sys.argv[2])
WINDOW = 8  # as the node has it
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
payload = b"x" * 200


def send(count):
    for _ in range(count):
        link.publish("soak/x", payload, False, 1)
        while link.unacked >= WINDOW:
            link.serve(1000)
    while link.unacked:
        link.serve(1000)


def writes():
    """System calls of this process that wrote, as the kernel counts them."""
    with open("/proc/self/io") as file:
        return int(file.read().split("syscw: ")[1].split("\n")[0])


send(1000)
link.pid = 60000
gc.collect()
gc.disable()
before, allocated = writes(), gc.mem_alloc()
allocated = gc.mem_alloc()
send(1000)
allocated = gc.mem_alloc() - allocated
written = writes() - before
gc.enable()
micropython.heap_lock()  # any allocation raises, also one that is given back at once
send(1000)
micropython.heap_unlock()
gc.collect()
before = gc.mem_alloc()
began = time.ticks_ms()
send(COUNT)
spent = time.ticks_diff(time.ticks_ms(), began)
gc.collect()
grown = gc.mem_alloc() - before
assert not got
link.publish("soak/echo", b"", True, 1)
link.publish("soak/echo", b"hello", False, 1)
while not got:
    link.serve(1000)
assert link.reconnects == 0 and link.unsent == 0 and link.pid < 60000
print(json.dumps({"rate": COUNT * 1000 / spent, "bytes": allocated / 1000, "writes": written / 1000, "grown": grown}))
