"""Runs on MicroPython, argument: JSON {"brokers", "user", "every_ms": between publishes or 0, "keepalive", "timeout",
"tls"}. A link that lives until it is killed: says on stdout what happens to it, and echoes what it hears on life/in."""

import json
import sys
import time

from esp_node.link import Link

wanted = json.loads(sys.argv[1])
user = wanted.get("user")


def connected():
    link.publish("life/birth", b"birth of %d" % link.port, True, 1)
    link.subscribe("life/in")
    print("connected", link.port)


def message(topic, payload, retained):
    print("heard", topic, payload, retained)


link = Link(
    "life", wanted["brokers"], user, user, connected, message, wanted["keepalive"], wanted["timeout"],
    tls=wanted.get("tls"),
)  # fmt: skip
link.backoff_most_ms = 500
link.set_last_will("life/state", b"lost", True, 1)
was, last, count = False, time.ticks_ms(), 0
while True:
    began = time.ticks_ms()
    link.serve(100)
    spent = time.ticks_diff(time.ticks_ms(), began)
    if spent > 300:
        print("blocked", spent)
    if was and not link.connected:
        print("down", link.unsent)
    was = link.connected
    if wanted["every_ms"] and time.ticks_diff(time.ticks_ms(), last) > wanted["every_ms"] and link.unacked < 8:
        last = time.ticks_ms()
        count += 1
        link.publish("life/out", b"%d" % count + b"." * wanted.get("pad", 0), False, wanted.get("qos", 1))
