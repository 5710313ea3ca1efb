"""Runs on MicroPython, arguments port and seconds: umqtt.simple as it comes, QoS 1. Prints {"rate": publishes/s}."""

import json
import sys
import time

from umqtt.simple import MQTTClient

client = MQTTClient("plain", "127.0.0.1", int(sys.argv[1]))
client.connect()
payload = b"x" * 200
for _ in range(3):
    client.publish(b"soak/x", payload, False, 1)
count, began = 0, time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), began) < float(sys.argv[2]) * 1000:
    client.publish(b"soak/x", payload, False, 1)
    count += 1
print(json.dumps({"rate": count * 1000 / time.ticks_diff(time.ticks_ms(), began)}))
