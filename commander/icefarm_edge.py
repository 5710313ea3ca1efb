"""The gateway for the PyPI client `icefarm`: sockets, and a server of its own in a thread of the commander.

What clients are told comes from the commits of the line, as for live events; `initialized` and the number of free
boards are looked at four times a second.
"""

import asyncio
import logging
import socket
import threading
import time
from contextlib import suppress
from typing import Any, cast

import socketio  # pyright: ignore[reportMissingTypeStubs]
import uvicorn

from commander.boards import icefarm, leases, views
from commander.boards.calls import FAILED
from commander.boards.icefarm_post import MOST_KEPT, Post, Sending
from commander.boards.pool import boards
from commander.boards.tables import board_result
from commander.boards.wishes import Asker
from commander.effects import Add, Put, Refused, Row
from commander.fleet.views import history
from commander.http.icefarm import create
from commander.http.paging import MOST, do, now_ms
from commander.icefarm_calls import Calls
from commander.icefarm_keys import admit
from commander.service import NotReady, Service
from schema.boards import FARM_EVENTS

log = logging.getLogger(__name__)

TABLES = ("board_history", "board_result")
TICK_S = 0.25
FORGET_S = 60.0
KEPT_MS = 600_000  # events of a client that is away, after the end of its last lease
PATIENCE_S = 60.0  # a board that failed and is not back by then is told as failed, which a client takes as final
MOST_BYTES = 8 * 1024 * 1024  # of one request
START_S = 10.0


class Gateway:
    """Listens from the beginning on; serves from `start()` to `stop()`."""

    def __init__(self, service: Service, address: str) -> None:
        self._service = service
        self._user = service.settings.icefarm_user
        self._socket = _listen(address)
        self._post = Post()
        self._calls = Calls(service, self._user, lambda name, text: self._send(self._post.put(name, text)))
        self._failing: dict[str, tuple[str, float]] = {}  # serial -> lease, and until when it is waited for
        self._amount = 0
        self._forget_at = 0.0
        self._tasks: set[asyncio.Future[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        # The client's own pings are late while it is busy: it was given a minute by the server it knows.
        self._io: Any = socketio.AsyncServer(async_mode="asgi", ping_timeout=60, max_http_buffer_size=MOST_BYTES)
        for name, handler in (("connect", self._connect), ("disconnect", self._disconnect), ("request", self._request)):
            self._io.on(name, handler)
        app: Any = socketio.ASGIApp(
            self._io,
            create(service, self._user, self._post.hush),
            on_startup=self._begin,
            on_shutdown=self._end,
        )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MOST_BYTES,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="icefarm", daemon=True)

    @property
    def port(self) -> int:
        return self._socket.getsockname()[1]

    def start(self) -> None:
        self._thread.start()
        end = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise NotReady("FARMHAND_ICEFARM: the gateway did not start; see the log")
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(START_S)
        self._socket.close()

    # --- of its server -----------------------------------------------------------------------------------------------
    async def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        known = boards(self._service.flow.farm, now_ms())
        for lease in icefarm.leases_of(self._service.flow.farm, self._user):
            for serial in lease["boards"]:
                board = known.get(serial)
                if board and board.state == "leased" and board.lease == lease["id"]:
                    self._post.announce(lease["name"], serial)
            for serial in lease["failing"]:
                self._failing[serial] = (lease["id"], time.monotonic() + PATIENCE_S)
        self._service.flow.live.append(self.publish)
        self._recall()
        self._keep(self._tick())

    async def _end(self) -> None:
        self._service.flow.live.remove(self.publish)
        self._calls.stop()
        for task in list(self._tasks):
            task.cancel()
        await self._io.shutdown()

    def _recall(self) -> None:
        """Put all results of the leases again: nobody knows which of them were acknowledged before this commander
        started, and a client takes each once."""
        with self._service.database.reading() as connection:
            for lease in self._known():
                rows = history(connection, board_result, {"lease": lease["id"]}, 0, MOST, MOST_KEPT, None)
                for row in reversed(rows):
                    self._post.put(lease["name"], icefarm.result(row))

    def _known(self) -> list[Row]:
        """Leases of which clients are still told."""
        mine = [row for row in list(self._service.flow.farm["board_lease"].values()) if row["user"] == self._user]
        late = now_ms() - KEPT_MS
        return [row for row in mine if row["state"] == "active" or row["ended"] > late]

    def publish(self, changes: list[Put | Add]) -> None:
        """Called by the line after each commit."""
        rows = [
            change for change in changes
            if type(change) is Add and change.table in TABLES and change.row["user"] == self._user
        ]  # fmt: skip
        if rows and self._loop:
            with suppress(RuntimeError):  # the gateway has just ended; the line goes on
                self._loop.call_soon_threadsafe(self._hear, rows)

    # --- sockets -----------------------------------------------------------------------------------------------------
    async def _connect(self, sid: str, environ: Row, auth: Any = None) -> None:
        try:
            self._admit(environ)
        except Refused as error:
            raise ConnectionRefusedError(f"{error.field}: {error.problem}") from None
        name: Any = cast("Row", auth).get("client_id") if isinstance(auth, dict) else None
        if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isprintable():
            raise ConnectionRefusedError("client_id: must have 1 to 64 printable characters")
        self._post.know(name, sid)
        self._keep(self._welcome(name, sid))

    async def _welcome(self, name: str, sid: str) -> None:
        """What is sent before the connection stands is lost, and it stands when its handler has returned."""
        end = time.monotonic() + START_S
        while not self._io.manager.is_connected(sid, "/"):
            if time.monotonic() > end:
                return
            await asyncio.sleep(0.01)
        self._send(self._post.join(name, sid, time.monotonic()))
        self._send([Sending(sid, 0, self._available(self._free()))])

    async def _disconnect(self, sid: str, *_: Any) -> None:
        self._send(self._post.leave(sid))

    async def _request(self, sid: str, data: Any = None) -> None:
        name = self._post.name_of(sid)
        try:
            self._admit(self._io.get_environ(sid))
        except Refused as error:  # the key was deleted meanwhile
            log.warning("iCEFARM client %s: %s", name, error)
            await self._io.disconnect(sid)
            return
        try:
            asked = icefarm.request(data)
        except Refused as error:
            log.warning("iCEFARM client %s: %s", name, error)
            return
        for each in asked:
            self._post.hush(name, list(each.serials))
            self._calls.begin(self._calls.take(name, each))

    def _admit(self, environ: Row) -> None:
        admit(self._service, environ.get("HTTP_AUTHORIZATION", ""))

    def _send(self, sendings: list[Sending]) -> None:
        for each in sendings:
            self._keep(self._emit(each))

    async def _emit(self, sending: Sending) -> None:
        name = self._post.name_of(sending.sid)

        def heard(*_: Any) -> None:
            self._post.acknowledged(name, sending.number)

        await self._io.emit("event", sending.text, to=sending.sid, callback=heard if sending.number else None)

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what is told ------------------------------------------------------------------------------------------------
    def _hear(self, rows: list[Add]) -> None:
        for change in rows:
            row = change.row
            lease = self._service.flow.farm["board_lease"].get(row["lease"])
            if lease is None or not row["serial"]:
                continue
            if change.table == "board_result":
                self._calls.finished(row)
                self._send(self._post.put(lease["name"], icefarm.result(row)))
            else:
                self._happened(lease, row["serial"], row["what"], row["data"])

    def _happened(self, lease: Row, serial: str, what: str, data: Any) -> None:
        name: str = lease["name"]
        if what in (icefarm.INITIALIZED, "well-again", "ended"):
            self._failing.pop(serial, None)
        if what == icefarm.INITIALIZED:
            self._post.announce(name, serial)
            waiting: Any = cast("Row", data).get("waiting") if isinstance(data, dict) else 0
            self._calls.initialized(name, serial, waiting if isinstance(waiting, int) else 0)
        elif what == "failure":
            self._failing.setdefault(serial, (lease["id"], time.monotonic() + PATIENCE_S))
        elif what == "ended":
            self._post.hush(name, [serial])
            self._calls.ended(serial)
        if what in icefarm.EVENTS:
            self._send(self._post.put(name, icefarm.event(serial, icefarm.EVENTS[what]), what == "ended"))
        elif what not in (*FARM_EVENTS, FAILED) and isinstance(data, dict):
            self._send(self._post.put(name, icefarm.told(serial, what, cast("Row", data))))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._look(time.monotonic())
            except Exception:  # the next look may do better
                log.exception("the iCEFARM gateway failed to look at the farm")

    def _look(self, now: float) -> None:
        self._send(self._post.due(now))
        if any(client.sockets for client in self._post.clients.values()):
            amount = self._free()
            if amount != self._amount:
                self._amount = amount
                self._send(self._post.to_all(self._available(amount)))
        for serial, (lease, until) in list(self._failing.items()):
            if now > until:
                del self._failing[serial]
                self._keep(self._give_up(lease, serial))
        if now > self._forget_at:
            self._forget_at = now + FORGET_S
            self._post.forget({row["name"] for row in self._known()})

    async def _give_up(self, lease: str, serial: str) -> None:
        """A client forgets a board that is told as failed, so nobody would give it back."""
        row = self._service.flow.farm["board_lease"].get(lease)
        if row is None or serial not in row["boards"]:
            return
        self._send(self._post.put(row["name"], icefarm.event(serial, "failure"), parting=True))

        def work(farm: Any, moment: Any) -> Any:
            return leases.end(farm, Asker(self._user), lease, [serial], moment)

        try:
            await do(self._service, work, self._user)
        except (Refused, TimeoutError) as error:
            log.warning("%s is not given back: %s", serial, error)

    def _free(self) -> int:
        return len(views.available(self._service.flow.farm, {}, None, now_ms()))

    def _available(self, amount: int) -> str:
        return icefarm.event("meta", icefarm.AVAILABLE, amount=amount)


def _listen(address: str) -> socket.socket:
    """At once, so that a port which is taken is told when the commander starts."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise NotReady(f"FARMHAND_ICEFARM: must be host:port, not {address}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise NotReady(f"FARMHAND_ICEFARM: {address}: {error.strerror or error}") from None
