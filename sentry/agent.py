"""The sentry's line, read downwards: inputs -> rules -> effects.

One thread runs it. Inputs come from the link, the measuring thread, the log and the signals through
one queue; effects are publishing, giving events to the courier, and keeping the memory.
"""

import logging
import secrets
import signal
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from sentry import rules
from sentry.alarms import Alarms
from sentry.birth import Units, birth, now_ms, software
from sentry.courier import Courier
from sentry.events import Event
from sentry.extras import Alarm, Publish, Report, Subscribe, Wish, extras, stray_filter
from sentry.home import Home
from sentry.host_os import system
from sentry.kept import Kept, refusals
from sentry.keys import verifier
from sentry.logs import Keeper, LogLine
from sentry.measure import Measured, Measurer
from sentry.mqtt_edge import Arrived, Connected, Ended
from sentry.reading import Reading
from sentry.settings import Settings
from sentry.uplink import Uplink

log = logging.getLogger(__name__)

REFUSALS_PER_MINUTE = 60
FIRST_MEASUREMENT_S = 3


class Stop:
    """End cleanly."""


Input = Connected | Ended | Arrived | LogLine | Wish | Stop


class Agent:
    def __init__(self, home: Home, settings: Settings) -> None:
        self._home, self._settings = home, settings
        self._credential = home.credential()
        self._verify = verifier(self._credential.verify)
        self._boot = secrets.token_hex(6)
        self._kept = Kept(home)
        self._defaults = {"interval_s": settings.interval_s, "heartbeat_s": settings.heartbeat_s}
        self._started = time.monotonic()
        self._inbox: SimpleQueue[Input] = SimpleQueue()  # safe to fill from a signal handler
        self._measurer = Measurer(self._inbox.put)
        self._keeper = Keeper(self._inbox.put)
        self._uplink = Uplink(self._credential, home.ca, settings, self._inbox.put)
        self._courier = Courier(home.outbox(self._credential, settings, now_ms), self._uplink, settings)
        self._extras = extras(self._credential.sender, self._boot, self._credential.kind, home.path, self._inbox.put)
        self._uplink.filters = [each for extra in self._extras for each in extra.filters]
        self._alarms = Alarms(self._uplink.alert)
        self._parts: dict[str, Units] = {}
        self._refusals: deque[float] = deque(maxlen=REFUSALS_PER_MINUTE)
        self._refused = 0
        self._running, self._again = True, False
        # The birth tells what will be measured, so the first connection waits for a measurement.
        self._uplink.connect_at = self._started + FIRST_MEASUREMENT_S
        self._measure_at = self._heartbeat_at = self._started

    def run(self) -> bool:
        """Until a signal or a `restart`; True: the caller shall start this program anew."""
        root_log = logging.getLogger()
        root_log.addHandler(self._keeper)
        for number in system.STOP_SIGNALS:
            signal.signal(number, self._on_signal)
        clean = not (self._home.read("status.json") or {}).get("running", False)
        self._note("boot", {"boot": self._boot, "software": software(), "clean": clean})
        memory, answers = rules.restarted(self._kept.memory, self._boot)
        self._kept.keep(memory, "the answer to a restart")
        for ack in answers:
            self._uplink.answer(ack)
        self._tell_status("starting")
        for extra in self._extras:
            extra.start()
        for wanted in rules.wanted(self._kept.memory):
            self._want(wanted)
        try:
            while self._running:
                for happened in self._happened():
                    self._on_input(happened)
                self._on_time(time.monotonic())
        finally:
            for extra in self._extras:
                extra.close()
            for wish in self._last_wishes():
                self._on_wish(wish)
            self._courier.store()
            self._uplink.close()
            self._courier.close()
            self._running = False
            self._tell_status("stopped")
            root_log.removeHandler(self._keeper)
            for number in system.STOP_SIGNALS:  # nobody listens any more: a signal may end us at once
                signal.signal(number, signal.SIG_DFL)
        return self._again

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._inbox.put(Stop())

    # Inputs

    def _happened(self) -> list[Input]:
        """What came since the last look; waits for the first until something else is due."""
        found: list[Input] = []
        try:
            found.append(self._inbox.get(timeout=self._patience(time.monotonic())))
            while len(found) < 1000:
                found.append(self._inbox.get_nowait())
        except Empty:
            pass
        return found

    def _patience(self, now: float) -> float:
        longest = self._settings.tick_s if self._courier.is_busy else self._settings.look_s
        due = min(self._measure_at, self._uplink.connect_at)
        if self._uplink.connected:
            due = min(due, self._heartbeat_at)
        return min(longest, max(0.0, due - now))

    def _last_wishes(self) -> list[Wish]:
        """What the extras still had to say when they ended."""
        waiting: list[Input] = []
        with suppress(Empty):
            while True:
                waiting.append(self._inbox.get_nowait())
        return [each for each in waiting if isinstance(each, Wish)]

    def _on_input(self, happened: Input) -> None:
        match happened:
            case Arrived(link, heard) if self._uplink.is_current(link):
                if not any(extra.hear(heard) for extra in self._extras):
                    self._on_heard(heard)
            case Connected(link) if self._uplink.is_current(link):
                self._on_connected()
            case Ended(link, reason) if self._uplink.is_current(link):
                self._uplink.on_ended(reason)
                self._tell_status(reason)
            case LogLine(ts, level, text):
                self._uplink.say("log", "", {"ts": ts, "level": level, "text": text})
            case Stop():
                self._running = False
            case Connected() | Ended() | Arrived():  # of a connection that is over
                pass
            case _:
                self._on_wish(happened)

    def _on_wish(self, wish: Wish) -> None:
        match wish:
            case Measured(readings):
                self._on_measured(readings)
            case Event():
                self._courier.take(wish)
            case Publish(topic, payload, qos, retain):
                self._uplink.publish(topic, payload, qos, retain)
            case rules.Say() | rules.Refuse():
                self._do(wish)
            case Alarm():
                self._alarms.take(wish)
            case Subscribe(filters):
                self._uplink.subscribe(filters)
            case Report():
                self._on_report(wish)

    def _on_connected(self) -> None:
        self._uplink.on_connected(self._birth(), rules.reports(self._kept.memory))
        self._heartbeat_at = time.monotonic()
        self._courier.on_connected(self._heartbeat_at)
        self._alarms.again()
        for extra in self._extras:
            extra.on_connected()
        self._tell_status("")

    def _on_report(self, report: Report) -> None:
        memory, said = rules.report(self._kept.memory, report.name, report.told())
        self._kept.keep(memory, report.name, report)
        for each in said:
            self._do(each)

    def _want(self, wanted: rules.Wanted) -> None:
        for extra in self._extras:
            if wanted.name in extra.documents:
                extra.want(wanted)

    def _on_heard(self, heard: rules.Heard) -> None:
        if stray := stray_filter(self._credential.sender, heard.topic):
            self._uplink.unsubscribe([stray])
            return
        world = rules.World(
            sender=self._credential.sender,
            verify=self._verify,
            now=now_ms(),
            boot=self._boot,
            birth=self._birth(),
            log_lines=tuple(self._keeper.lines),
            defaults=self._defaults,
            commands={name: each for extra in self._extras for name, each in extra.commands.items()},
            documents={name: each for extra in self._extras for name, each in extra.documents.items()},
        )
        memory, actions = rules.hear(self._kept.memory, heard, world)
        answers = refusals(actions)
        if not self._kept.keep(memory, heard.topic, None if answers else heard):
            actions = answers
        for action in actions:
            self._do(action)

    def _do(self, action: rules.Action) -> None:
        match action:
            case rules.Say("ack"):
                self._uplink.answer(action)
            case rules.Say(key, name, data):
                self._uplink.say(key, name, data)
            case rules.Refuse(topic, field, problem):
                self._on_refused(topic, field, problem)
            case rules.Order():
                next(extra for extra in self._extras if action.name in extra.commands).obey(action)
            case rules.Wanted():
                self._want(action)
            case rules.Passed(marks):
                self._courier.on_marks(marks)
            case rules.Adopt():
                self._measure_at = self._heartbeat_at = time.monotonic()
                self._uplink.say("info", "", self._birth())
            case rules.Restart():
                self._running, self._again = False, True

    def _on_refused(self, topic: str, field: str, problem: str) -> None:
        self._refused += 1
        now = time.monotonic()
        if len(self._refusals) == REFUSALS_PER_MINUTE and now - self._refusals[0] < 60:
            return  # the sign of life still counts it; a flood must not push out real events
        self._refusals.append(now)
        self._note("refused", {"topic": topic, "field": field, "problem": problem})

    def _on_measured(self, readings: list[Reading]) -> None:
        now = now_ms()
        parts = dict(self._parts)  # it only grows: what waits in the outbox stays announced
        for each in readings:
            self._courier.take(Event("tele", each.part, now, each.values, each.device))
            parts[each.part] = {**parts.get(each.part, {}), **each.units}
        if parts != self._parts:
            self._parts = parts
            self._uplink.say("info", "", self._birth())
        if self._uplink.links == 0:
            self._uplink.connect_at = 0

    # Time

    def _on_time(self, now: float) -> None:
        self._uplink.on_time(now)
        for missed in self._kept.missed(now):
            if isinstance(missed, Report):
                self._on_report(missed)
            else:
                self._on_heard(missed)
        in_force = rules.settings_of(self._kept.memory, self._defaults)
        if now >= self._measure_at:
            self._measure_at = now + in_force["interval_s"]
            self._measurer.ask()
        if self._uplink.connected and now >= self._heartbeat_at:
            self._heartbeat_at = now + in_force["heartbeat_s"]
            self._uplink.say("tele", "node", self._heartbeat(now))
        self._courier.on_time(now)

    # What is said

    def _note(self, name: str, fields: dict[str, Any]) -> None:
        self._courier.take(Event("evt", name, now_ms(), fields))

    def _birth(self) -> dict[str, Any]:
        heartbeat = rules.settings_of(self._kept.memory, self._defaults)["heartbeat_s"]
        kind = self._credential.kind
        return birth(self._boot, kind, heartbeat, self._parts, self._settings)

    def _heartbeat(self, now: float) -> dict[str, int]:
        return {
            "ts": now_ms(),
            "uptime_s": int(now - self._started),
            "refused": self._refused,
            "reconnects": max(0, self._uplink.links - 1),
            **self._courier.figures(),
        }

    def _tell_status(self, reason: str) -> None:
        status = {"running": self._running, "connected": self._uplink.connected, "boot": self._boot}
        self._home.tell_status({**status, "reason": reason})
