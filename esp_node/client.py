"""The class that link.py extends. Where the build has the source of umqtt.simple, that stands here instead, without
what link.py replaces (embed.py)."""

from umqtt.simple import MQTTClient, MQTTException  # noqa: F401 (handed on)
