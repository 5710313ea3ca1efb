"""Methods of states that were written without `async`: each call in a thread, so that one that waits holds up no other
board, nor the sentry's end."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, copy_context
from threading import Event, Thread
from typing import Any

_OVER: ContextVar[Event | None] = ContextVar("over", default=None)


async def in_thread(work: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """What it returns or raises. Nothing can end a thread from outside: one that nobody waits for is `given_up`."""
    loop, over = asyncio.get_running_loop(), Event()
    done: asyncio.Future[Any] = loop.create_future()
    context = copy_context()
    context.run(_OVER.set, over)

    def settle(answer: Any, fault: Exception | None) -> None:
        if done.done():
            return
        if fault:
            done.set_exception(fault)
        else:
            done.set_result(answer)

    def run() -> None:
        answer: Any = None
        fault: Exception | None = None
        try:
            answer = context.run(work, **given)
        except Exception as error:
            fault = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error  # no future can hold it
        except BaseException as error:  # an exit of this thread alone
            fault = RuntimeError(repr(error))
        with suppress(RuntimeError):  # the sentry has ended
            loop.call_soon_threadsafe(settle, answer, fault)

    Thread(target=run, daemon=True, name="method").start()
    try:
        return await done
    except asyncio.CancelledError:
        over.set()
        raise


def given_up() -> bool:
    """Whether this runs in the thread of a method whose state is over."""
    over = _OVER.get()
    return over is not None and over.is_set()


def soon(loop: asyncio.AbstractEventLoop, work: Callable[..., object], *args: Any) -> None:
    """Call it in the thread of the loop: at once if this is that."""
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:
        here = False
    if here:
        work(*args)
    else:
        loop.call_soon_threadsafe(work, *args)
