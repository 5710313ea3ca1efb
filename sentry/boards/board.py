"""The life of one board: plugged, flashed with the default firmware, tested, ready; with a lease what the lease asks
for; broken, healed, in quarantine.

One task hears what happens, in order, and moves the board from state to state. What a state does (`enter`, and what it
begins) runs in tasks beside it, which end when the board moves on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from schema.message import is_json
from sentry.boards.console import Console
from sentry.boards.core import Lease, State
from sentry.boards.faults import BoardFailed, Refused, tellable
from sentry.boards.flashing import flash
from sentry.boards.health import Health
from sentry.boards.hub import Hub
from sentry.boards.offers import asked_for, method_of
from sentry.boards.settings import BoardSettings
from sentry.boards.states.broken import Broken
from sentry.boards.states.flash import Flash
from sentry.boards.states.prepare import Prepare
from sentry.boards.states.quarantine import Quarantine
from sentry.boards.states.ready import Ready
from sentry.boards.threads import given_up, soon
from sentry.boards.tty import Tty
from sentry.boards.usb import Device
from sentry.boards.voice import Voice
from sentry.boards.work import Given, Happened, Plugged, Reboot, Went, Work, settled


class Board:
    """``device``: as it is plugged in, None while it is not; ``changed`` is called when its report has; ``problem``:
    what ended the life before, a fault that nobody caught."""

    def __init__(
        self,
        device: Device,
        lease: Lease | None,
        settings: BoardSettings,
        voice: Voice,
        console: Console,
        health: Health,
        changed: Callable[[], None],
        problem: str = "",
    ) -> None:
        self.serial, self.device, self.lease = device.serial, device, lease
        self.settings, self.voice, self.console, self.health = settings, voice, console, health
        self.hub = Hub(settings.hub, settings.uhubctl)
        self.firmware = ""
        self.problem = problem
        self.state: State = self._at_rest() if problem else Flash(self)
        self._changed = changed
        self._refused: Lease | None = None
        self._told_failure = False
        self._inbox: asyncio.Queue[Happened] = asyncio.Queue()
        self._replug = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._work = Work(self.serial, self._inbox.put_nowait)

    # For the manager

    async def run(self) -> None:
        """Until the board is unplugged, or this is cancelled."""
        try:
            if self.problem:
                self._tell_failure(self.problem)
                self._tell_state("")
            self._work.enter(self.state)
            while await self._on(await self._inbox.get()):
                pass
        finally:
            self.health.close()
            await self._work.stop(self.state)

    def plugged(self, device: Device | None) -> None:
        self.device = device
        self._replug.set()
        self._replug = asyncio.Event()
        self._inbox.put_nowait(Plugged(device))

    def give(self, lease: Lease | None) -> None:
        if lease != self.lease:
            self.lease = lease
            self.console.note(f"lease {lease.id}: {lease.kind}" if lease else "no lease")
            self._inbox.put_nowait(Given(lease))

    def reboot(self) -> None:
        self._inbox.put_nowait(Reboot())

    async def call(self, lease: str, method: str, args: Mapping[str, Any], files: Mapping[str, Any]) -> Any:
        """Call a method of the state; what it returns. Refused; BoardFailed breaks the board as well; Invalid when the
        answer is nothing that JSON can hold."""
        work, given = method_of(self, lease, method, args, files)
        state = self.state
        try:
            answer = await self._work.call(method, work, given)
            is_json("answer", answer)
            return answer
        except BoardFailed as error:
            self._inbox.put_nowait(Went(state, problem=str(error)))
            raise

    @property
    def shown(self) -> str:
        """One of schema.boards.STATES."""
        return "preparing" if self.state.shown == "leased" and not self.state.entered else self.state.shown

    def report(self) -> dict[str, Any]:
        """As schema/boards.py describes it."""
        told: dict[str, Any] = {"state": self.shown, "type": self.settings.model, "tags": list(self.settings.tags)}
        told["firmware"] = self.firmware
        if self.lease:
            told |= {"kind": self.lease.kind, "lease": self.lease.id}
        if self.problem:
            told["problem"] = self.problem[:512]
        if self.health.failures:
            told["failures"] = self.health.failures
        if self.health.shaky:
            told["shaky"] = True
        return told

    # For states

    async def flash(self, firmware: str) -> None:
        """Give the board the firmware of that name in the settings."""
        await flash(self, firmware)
        self.console.note(f"flashed {firmware}")

    def open(self) -> Tty:
        """The tty of what runs on the board."""
        if self.device is None or self.device.tty is None:
            raise BoardFailed("its tty is gone")
        return Tty(self.device.tty, self.console)

    async def until(self, fits: Callable[[Device], bool], seconds: float, problem: str) -> Device:
        """The device, once it is there and fits; BoardFailed otherwise."""
        try:
            async with asyncio.timeout(seconds):
                while self.device is None or not fits(self.device):
                    await self._replug.wait()
                return self.device
        except TimeoutError:
            raise BoardFailed(f"{problem} within {seconds:g} s") from None

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside the state, as long as it lasts. From any thread."""
        soon(self._loop, self._begin, self.state, work)

    def _begin(self, state: State, work: Coroutine[Any, Any, None]) -> None:
        if state is self.state and not given_up():
            self._work.begin(state, work)
        else:
            work.close()

    def restart(self) -> None:
        """The state anew, its firmware flashed again. From any thread."""
        if given_up():
            return
        again = Prepare(self, self.state) if self.state.kind else Flash(self)
        soon(self._loop, self._inbox.put_nowait, Went(self.state, again))

    def settled(self) -> State:
        """What a board that passed its test does next: what its lease asks for, else wait for one."""
        self.health.on_passed()
        if self.lease is None or self.lease == self._refused:
            return Ready(self)
        try:
            return Prepare(self, asked_for(self, self.lease))
        except Refused as error:
            self._refused, self.problem = self.lease, error.problem
            self.console.note(error.problem)
            self._tell_failure(error.problem)
            return Ready(self)

    # What happens

    async def _on(self, happened: Happened) -> bool:
        match happened:
            case Plugged(device):
                return await self._on_plugged(device)
            case Went(state, then, problem) if state is self.state:
                if problem:
                    return await self._on_failed(tellable(problem))
                if then is not None:
                    await self._go(then)
                else:
                    await self._on_entered()
            case Given(lease) if lease == self.lease:
                await self._on_given(lease)
            case Reboot():
                await self._work.hook(self.state, self.state.reboot)
            case _:  # of a state or a lease that is over
                pass
        return True

    async def _on_plugged(self, device: Device | None) -> bool:
        if device:
            await self._work.hook(self.state, self.state.on_add, device)
            return True
        await self._work.hook(self.state, self.state.on_remove)
        if self.state.may_vanish or self.device:
            return True
        if self.lease:  # it was in use
            self.health.on_failed()
        await self._give_up("unplugged")
        return False

    async def _on_failed(self, problem: str) -> bool:
        self.health.on_failed()
        if self.device is None:
            await self._give_up("unplugged")
            return False
        self.voice.problem(self.serial, problem)
        self.console.note(problem)
        await self._work.hook(self.state, self.state.lost, problem)
        self.problem = problem
        self._tell_failure(problem)
        await self._go(self._at_rest())
        return True

    def _at_rest(self) -> State:
        return Quarantine(self) if self.health.in_quarantine else Broken(self)

    async def _give_up(self, problem: str) -> None:
        await self._work.hook(self.state, self.state.lost, problem)
        self._tell_failure(problem)

    async def _on_entered(self) -> None:
        before = self.shown
        self.state.entered = True
        if self.shown == "leased":
            if not await self._work.hook(self.state, self._greet):
                self.state.entered = False
                return
            self.problem, self._told_failure = "", False
        self._tell_state(before)

    async def _greet(self) -> None:
        greeting: Any = await settled(self.state.greeting())
        if self.state.lease:
            self.voice.event(self.serial, "initialized", greeting, self.state.lease.id)

    async def _on_given(self, lease: Lease | None) -> None:
        self._refused, self._told_failure = None, False
        if isinstance(self.state, Ready):
            if lease:
                self.problem = ""
                await self._go(self.settled())
            elif self.problem:
                self.problem = ""
        elif isinstance(self.state, Prepare) or self.state.kind:
            wanted = self.settled()
            await self._go(wanted if isinstance(wanted, Prepare) else Flash(self))
        self._changed()

    # From state to state

    async def _go(self, state: State) -> None:
        before = self.shown
        await self._work.stop(self.state)
        if isinstance(state, Ready) and not self._refused:
            self.problem = ""
        self.state, state.entered = state, False
        self._tell_state(before)
        self._work.enter(state)

    def _tell_state(self, before: str) -> None:
        if self.shown != before:
            self.console.note(self.shown)
            problem = {"problem": self.problem[:512]} if self.problem else {}
            self.voice.event(self.serial, "state", {"from": before, "to": self.shown, **problem})
        self._changed()

    def _tell_failure(self, problem: str) -> None:
        if self.lease and not self._told_failure:
            self._told_failure = True
            self.voice.event(self.serial, "failure", {"problem": problem[:512]}, self.lease.id)
