"""The same clients for programs without asyncio. The work is done in a thread of the client's, so that reservations
are extended, and events heard, while the program does something else. Handlers are called in a second one, and may use
the client."""

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, wait
from typing import Any, ClassVar, TypeVar

from farmhand_client.boards import RESULT_S, AsyncBoardClient, AsyncPulseCountClient, AsyncVarianceClient
from farmhand_client.console import ConsoleLine
from farmhand_client.evaluation import Evaluation, FilePath, Result, listed
from farmhand_client.events import AbstractEventHandler, Event, EventServer
from farmhand_client.leases import Row
from farmhand_client.loop import Loop

T = TypeVar("T")

DRAIN_S = 5.0  # for handlers, when the client is closed
CLOSED_S = 1.0  # between two looks whether it was


class BoardClient:
    """See AsyncBoardClient. A `with` block ends all reservations of the client's name, and closes it."""

    made: ClassVar[type[AsyncBoardClient]] = AsyncBoardClient

    def __init__(
        self,
        url: str,
        name: str,
        logger: logging.Logger | None = None,
        log_events: bool = False,
        *,
        key: str | None = None,
    ) -> None:
        self._loop = Loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"farmhand client {name}", daemon=True)
        self._thread.start()
        self._closed = False
        self._client = self._wait(self._make(url, name, logger, key, log_events))
        self.server = self._client.server
        self.name, self.logger = name, self._client.logger

    def __enter__(self) -> "BoardClient":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end_all()
        finally:
            self.close()

    def available(self, kind: str | None = None) -> int:
        """How many boards would be given out at once."""
        return self._wait(self._client.available(kind))

    def available_devices(self, kind: str | None = None) -> list[str]:
        """Their serials."""
        return self._wait(self._client.available_devices(kind))

    def reserve(
        self,
        amount: int,
        wait_for_available: bool = False,
        available_timeout: float | None = 60,
        kind: str | None = None,
        args: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[str]:
        """See AsyncBoardClient.reserve."""
        return self._wait(self._client.reserve(amount, wait_for_available, available_timeout, kind, args, **more))

    def reserve_specific(
        self,
        serials: Iterable[str],
        wait_for_available: bool = False,
        available_timeout: float | None = 60,
        kind: str | None = None,
        args: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[str]:
        """The same for just these boards."""
        return self._wait(
            self._client.reserve_specific(serials, wait_for_available, available_timeout, kind, args, **more)
        )

    def adopt(self) -> list[str]:
        """See AsyncBoardClient.adopt."""
        return self._wait(self._client.adopt())

    def get_serials(self) -> list[str]:
        """The boards that this client has."""
        return self._client.get_serials()

    def extend(self, serials: Iterable[str]) -> list[str]:
        """Have their reservations last their length from now."""
        return self._wait(self._client.extend(serials))

    def extend_all(self) -> list[str]:
        """All of this client's key and name."""
        return self._wait(self._client.extend_all())

    def end(self, serials: Iterable[str]) -> list[str]:
        """Give these boards back."""
        return self._wait(self._client.end(serials))

    def end_all(self) -> list[str]:
        """Give back all of this client's key and name."""
        return [] if self._closed else self._wait(self._client.end_all())

    def reboot(self, serials: Iterable[str], timeout: float = 60) -> list[str]:
        """Start boards anew; the ones that were not ready again in time."""
        return self._wait(self._client.reboot(serials, timeout))

    def call(
        self,
        method: str,
        args: Mapping[str, Any] | None = None,
        files: Mapping[str, FilePath | bytes] | None = None,
        serials: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """See AsyncBoardClient.call."""
        return self._wait(self._client.call(method, args, files, serials))

    def evaluate_bitstreams(
        self,
        bitstreams: Iterable[FilePath],
        serials: Iterable[str] | None = None,
        spread: bool = False,
        result_timeout: float = RESULT_S,
        progress: bool | None = None,
        batch: str | None = None,
        batch_size: int = 5,
        target_batches: int = 2,
    ) -> Iterator[Result]:
        """See AsyncBoardClient.evaluate_bitstreams."""
        given = listed(bitstreams), serials, spread, result_timeout, progress, batch
        return self._each(self._client.evaluate_bitstreams(*given))

    def evaluate_evaluations(
        self,
        evaluations: Iterable[Evaluation],
        result_timeout: float = RESULT_S,
        batch_size: int = 5,
        target_batches: int = 2,
        progress: bool | None = None,
        batch: str | None = None,
    ) -> Iterator[Result]:
        """See AsyncBoardClient.evaluate_evaluations."""
        given = self._client.evaluate_evaluations(list(evaluations), result_timeout, progress=progress, batch=batch)
        return self._each(given)

    def console(self, serial: str, after: int = 0) -> list[ConsoleLine]:
        """See AsyncBoardClient.console."""
        return self._wait(self._client.console(serial, after))

    def results(self, batch: str | None = None, limit: int = 1_000, **where: Any) -> list[Row]:
        """See AsyncBoardClient.results."""
        return self._wait(self._client.results(batch, limit, **where))

    def add_event_handler(self, handler: AbstractEventHandler) -> None:
        """A handler for `available` hears what comes from now on."""
        self.server.add_event_handler(handler)
        self._wait(self._client.free.begun())

    def close(self) -> None:
        """Let go of the connection; the reservations stay."""
        if self._closed:
            return
        self._events.drain()
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """With what is under way, such as a batch whose results nobody reads to the end."""
        await self._client.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(
        self, url: str, name: str, logger: logging.Logger | None, key: str | None, log_events: bool
    ) -> AsyncBoardClient:
        client = self.made(url, name, logger, key=key)
        client.server = client.leases.server = client.free.server = self._events = _Threaded(client.logger)
        if log_events:
            client.log_events()
        return client

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            work.close()
            raise RuntimeError("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            while not wait([future], CLOSED_S).done:
                if not self._thread.is_alive():
                    raise RuntimeError("the client was closed meanwhile, or made before this process was forked")
            return future.result()
        except CancelledError:
            raise RuntimeError("the client was closed meanwhile") from None
        except BaseException:
            future.cancel()
            raise

    def _each(self, results: AsyncGenerator[Result, None]) -> Iterator[Result]:
        asking = asyncio.Lock()  # what was interrupted has to end before the results can be closed
        task: asyncio.Task[Any] | None = None

        async def following() -> Result | None:
            nonlocal task
            task = asyncio.current_task()
            async with asking:
                return await anext(results, None)

        async def closing() -> None:
            if task is not None:
                task.cancel()
            async with asking:
                await results.aclose()

        try:
            while (result := self._wait(following())) is not None:
                yield result
        finally:
            if not self._closed:
                self._wait(closing())

    getSerials = get_serials
    availableDevices = available_devices
    reserveSpecific = reserve_specific
    extendAll = extend_all
    endAll = end_all
    evaluateBitstreams = evaluate_bitstreams
    evaluateEvaluations = evaluate_evaluations
    addEventHandler = add_event_handler
    stop = close


class PulseCountClient(BoardClient):
    """Boards that count the pulses of a circuit in a second."""

    made = AsyncPulseCountClient


class VarianceClient(BoardClient):
    """Boards that measure how much a circuit's voltage changes."""

    made = AsyncVarianceClient


class _Threaded(EventServer):
    """Handlers in a thread of their own, one event after the other."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger)
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="farmhand events", daemon=True)
        self._thread.start()

    async def handle_event(self, event: Event) -> None:
        if self.handlers:
            self._events.put(event)

    def drain(self) -> None:
        """Let the handlers have what has come, within reason."""
        self._events.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(DRAIN_S)

    def _work(self) -> None:
        while event := self._events.get():
            try:
                asyncio.run(super().handle_event(event))
            except BaseException:  # also sys.exit and pytest.fail: the next event shall be heard
                self.logger.exception("a handler ended at the event %s", event.event)
