"""Stands for link.py on CPython, whose sockets umqtt.simple cannot use: the same calls on paho, in one thread."""

import time

from paho.mqtt import client as paho

_PAUSE_MS = 1000


class Link:
    """One client of the broker list `brokers` [(host, port), ...]; see link.py. To read: connected, unacked."""

    def __init__(self, client_id, brokers, user, password, on_connect, on_message, keepalive=30):
        self._brokers = brokers
        self._keepalive = keepalive
        self._name = client_id
        self._login = user, password
        self._on_connect = on_connect
        self._on_message = on_message
        self._failures = 0
        self._retry_at = 0
        self._client = None
        self.connected = False
        self.unacked = 0

    def serve(self, wait_ms):
        """Handle what arrives within `wait_ms`, connect when the link is down. A fault of the network is not raised."""
        try:
            if not self._client or not self._client.socket():
                self._open(wait_ms)
            elif self._client.loop(wait_ms / 1000) != paho.MQTT_ERR_SUCCESS:
                self.connected = False
        except OSError:
            self.connected = False
            self._failures += 1

    def publish(self, topic, msg, retain=False, qos=0):
        """Send `msg`; False when it was not sent."""
        if not self.connected:
            return False
        if qos:
            self.unacked += 1
        return self._client.publish(topic, msg, qos, retain).rc == paho.MQTT_ERR_SUCCESS

    def subscribe(self, topic, qos=1):
        """Ask for a subscription."""
        self._client.subscribe(topic, qos)

    def disconnect(self):
        """End the connection in good order."""
        self._client.disconnect()

    def _open(self, wait_ms):
        pause = self._retry_at - time.monotonic() * 1000
        if pause > 0:
            time.sleep(min(pause, wait_ms) / 1000)
            return
        self._retry_at = time.monotonic() * 1000 + _PAUSE_MS
        # A new one each time: paho would send again what it thinks was lost, and so does who publishes here.
        client = self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, self._name)
        client.max_inflight_messages_set(0)
        if self._login[0] is not None:
            client.username_pw_set(*self._login)
        client.on_connect = self._connected
        client.on_publish = self._published
        client.on_message = lambda _client, _data, message: self._on_message(
            message.topic, message.payload, message.retain
        )
        host, port = self._brokers[self._failures % len(self._brokers)]
        client.connect(host, port, self._keepalive)

    def _connected(self, _client, _data, _flags, reason, _properties):
        if reason.is_failure:
            self._failures += 1
            return
        self.unacked = 0
        self.connected = True
        self._on_connect()

    def _published(self, _client, _data, _mid, _reason, _properties):
        self.unacked = max(0, self.unacked - 1)
