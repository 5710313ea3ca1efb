"""What happens to a board, and the tasks that work on it."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from sentry.boards.core import Lease, State
from sentry.boards.faults import BoardFailed, Refused, of_anybody
from sentry.boards.threads import in_thread
from sentry.boards.usb import Device

log = logging.getLogger(__name__)

HOOK_S = 5.0  # longest time that a hook may take, and work to end


@dataclass(frozen=True, slots=True)
class Went:
    """``state`` is through: ``then`` follows (None: it stays), or it failed."""

    state: State
    then: State | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Plugged:
    """What is plugged in now; None: nothing."""

    device: Device | None


@dataclass(frozen=True, slots=True)
class Given:
    """The lease that holds now."""

    lease: Lease | None


class Reboot:
    """Start anew, with what the client waits for kept."""


Happened = Went | Plugged | Given | Reboot


async def settled(answer: Any) -> Any:
    """What a hook or method gave, whether it was written with `async` or without."""
    return await answer if inspect.isawaitable(answer) else answer


class Work:
    """The tasks of a board's state. ``tell`` hears how they end."""

    def __init__(self, serial: str, tell: Callable[[Happened], None]) -> None:
        self._serial, self._tell = serial, tell
        self._tasks: set[asyncio.Task[Any]] = set()
        self._plain = asyncio.Lock()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def enter(self, state: State) -> None:
        async def entering() -> None:
            then: Any = await settled(state.enter())
            self._tell(Went(state, then if isinstance(then, State) else None))

        self._spawn(state, entering())

    def begin(self, state: State, work: Coroutine[Any, Any, None]) -> None:
        """Beside the state, as long as it lasts."""
        self._spawn(state, work)

    async def call(self, method: str, work: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        """What the state's method gives; Refused when the state is over before."""
        task = asyncio.get_running_loop().create_task(self._called(work, given))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait({task, self._over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if not task.done() or task.cancelled():
            raise Refused("given-up", f"{self._serial} went on to something else before {method} was done")
        return task.result()

    async def _called(self, work: Callable[..., Any], given: Mapping[str, Any]) -> Any:
        if inspect.iscoroutinefunction(work):
            with of_anybody():
                return await work(**given)
        async with self._plain:  # one after the other, as their authors expect
            return await settled(await in_thread(work, given))

    async def stop(self, state: State) -> None:
        """End all, and leave the state, which takes no calls from now on. What hears no end is left alone."""
        state.entered = False
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, deaf = await asyncio.wait(self._tasks, timeout=HOOK_S)
            self._tasks -= deaf
            for _ in deaf:
                log.error("board %s: work of %s goes on when it is over", self._serial, type(state).__name__)
        self._over.set_result(None)
        self._over = asyncio.get_running_loop().create_future()
        await self.hook(state, state.leave)

    async def hook(self, state: State, work: Callable[..., Any], *args: Any) -> bool:
        """One of the state's hooks, whose faults are its own: a state may be anybody's. Whether it had none."""
        try:
            with of_anybody():
                async with asyncio.timeout(HOOK_S):
                    await settled(work(*args))
        except Exception as error:
            log.exception("board %s: a hook of %s failed", self._serial, type(state).__name__)
            self._tell(Went(state, problem=f"{type(state).__name__}: {error or type(error).__name__}"))
            return False
        return True

    def _spawn(self, state: State, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._through(state, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # it may have been cancelled before it began

    async def _through(self, state: State, work: Coroutine[Any, Any, None]) -> None:
        try:
            with of_anybody():
                await work
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            self._tell(Went(state, problem=f"{type(state).__name__}: {type(error).__name__}"))  # not by us
        except BoardFailed as error:
            self._tell(Went(state, problem=str(error)))
        except Exception as error:  # a state of anybody's: it must not take others down
            log.exception("board %s: %s failed", self._serial, type(state).__name__)
            self._tell(Went(state, problem=f"{type(state).__name__}: {error}"))
