"""A push button, debounced by interrupt. Options: {"pin": number, "active": level when pressed, "pull": "up", "down" or
"none", "debounce_ms": 30}. A contact bounces for some ms: after a change, others are ignored for `debounce_ms`."""

import time

NAME = "button"
FIELDS = ("pressed", "presses")
UNITS = ("", "")
DIGITS = (0, 0)
_CHATTER = 100  # ignored edges between two get()s that no finger can make


class Button:
    def __init__(self, options):
        from esp_node.sensors._edges import listen
        from esp_node.sensors._options import choice, number, take, wired
        from schema.errors import Invalid

        options = take(options, {"pin": ..., "active": 0, "pull": "up", "debounce_ms": 30})
        choice(options, "active", (0, 1))
        pull = choice(options, "pull", ("none", "up", "down"))
        self._debounce = int(number(options, "debounce_ms", 1, 1000))
        self._active = options["active"]
        self._pin = pin = wired("Pin", options, "pin")
        if pull == 2 and not hasattr(pin, "PULL_DOWN"):
            raise Invalid("pull", "this board has no pull-down: up or none")
        pin.init(pin.IN, (None, pin.PULL_UP, pull == 2 and pin.PULL_DOWN)[pull])
        self._presses = self._ignored = 0
        self._down = pin.value() == self._active
        self._changed = time.ticks_add(time.ticks_ms(), -self._debounce)
        listen(pin, self._edge)

    def _edge(self, pin):
        # Runs as an interrupt: nothing that allocates.
        now = time.ticks_ms()
        if 0 <= time.ticks_diff(now, self._changed) < self._debounce:
            self._ignored += 1
            return
        down = pin.value() == self._active
        if down != self._down:
            self._down = down
            self._changed = now
            if down:
                self._presses += 1

    def get(self):
        """(pressed now, presses since the start). ValueError: it chatters without an end. A button that is gone
        cannot be told from one that nobody presses."""
        ignored = self._ignored
        self._ignored = 0
        if ignored > _CHATTER:
            raise ValueError("chatters: %d edges; wiring, pull-up?" % ignored)
        # The last bounce may have been the one that counts.
        if not 0 <= time.ticks_diff(time.ticks_ms(), self._changed) < self._debounce:
            self._down = self._pin.value() == self._active
        return self._down, self._presses

    def close(self):
        """Release the pin."""
        self._pin.irq(handler=None)


def create(node, options):
    return Button(options)
