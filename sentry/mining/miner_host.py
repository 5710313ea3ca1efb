"""The miners of this host, in one asyncio loop: documents, commands, reports. Loaded once the first document comes."""

import asyncio
import logging
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from schema.message import Invalid
from sentry.extras import Alarm, Report, Subscribe, Wish
from sentry.mining import miner_log
from sentry.mining.ask import Asker
from sentry.mining.install import Installer
from sentry.mining.miner_places import Places
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.miner_store import Store
from sentry.mining.miner_tools import Tools
from sentry.mining.processes import Process, processes
from sentry.mining.rollout import Rollout
from sentry.mining.supervise import Supervisor
from sentry.rules import Order, Wanted, ack, bad_arguments

log = logging.getLogger(__name__)

REPORT_S = 1.0
DEED_S = 120
FOLLOW_S = 5.0
LOOK_S = 0.05
RESTS = ("resting", "stopped", "failed")
ALERT = "playbooks"
Item = Wanted | Order | None
"""None: end, and leave the miners running"""


class Host:
    """``home``: the sentry's folder; ``asks_for``: the filter of its own document."""

    def __init__(self, home: Path, settings: MinerSettings, asks_for: str, tell: Callable[[Wish], None]) -> None:
        folder = settings.folder or home / "miners"
        self._settings, self._asks_for, self._tell = settings, asks_for, tell
        self._todo: asyncio.Queue[Item] = asyncio.Queue()
        self._news = asyncio.Event()
        self._asker = Asker()
        self._places = Places(folder.absolute(), settings)
        self._places.make()
        self._store = Store(folder)
        installer = Installer(folder.absolute(), settings.software_bytes)
        tools = Tools(
            settings, installer, self._places, self._store, self._asker, processes(settings.processes), tell,
            self._news.set, self._do,
        )  # fmt: skip
        self._rollout = Rollout(home, tools)
        self._under_way: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._rev, self._status, self._error = 0, "", ""
        self._said: Report | None = None

    def take(self, item: Item) -> None:
        """In the loop's thread."""
        self._todo.put_nowait(item)

    async def run(self) -> None:
        try:
            await self._rollout.resume()
            for each in (self._report_on(), self._ask_on()):
                self._spawn(each)
            while (item := await self._todo.get()) is not None:
                if isinstance(item, Order):
                    self._spawn(self._obey(item))
                else:
                    await self._cancel()
                    self._under_way = asyncio.create_task(self._want(item))
        finally:
            await self._cancel()
            for each in self._tasks:
                each.cancel()
            await self._rollout.leave()

    async def _cancel(self) -> None:
        """A newer document comes: what was being made true is no longer wanted."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.wait({self._under_way})

    async def _want(self, wanted: Wanted) -> None:
        self._rev, self._status, self._error = wanted.rev, "pending", ""
        try:
            await self._rollout.to(wanted.rev, wanted.data["miners"], self._say)
        except Exception as error:  # a fault of this program must not look like a rollout that goes on for ever
            log.exception("playbooks")
            self._say("failed", f"a fault of this program, see the sentry's log: {error}")

    # Reports

    def _say(self, status: str, error: str) -> None:
        self._status, self._error = status, error
        self._tell(Alarm(ALERT, error and f"playbooks, revision {self._rev}: {error}", "error"))
        self._report()

    def _report(self) -> None:
        if not self._status:
            return
        running = self._store.running
        data: dict[str, Any] = {"miners": self._rollout.progress or self._steps()}
        if running:
            data["running_rev"] = running["rev"]
        if self._store.maintenance:
            data["maintenance"] = True
        report = Report("playbooks", self._rev, self._status, self._error, data)
        if report != self._said:
            self._said = report
            self._tell(report)

    def _steps(self) -> dict[str, dict[str, Any]]:
        return {name: _step(each) for name, each in self._rollout.miners.items()}

    async def _report_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            self._report()
            await asyncio.sleep(REPORT_S)

    async def _ask_on(self) -> None:
        """A broker may have lost what it was to keep."""
        while True:
            await asyncio.sleep(self._settings.ask_s)
            self._tell(Subscribe([self._asks_for]))

    # Commands

    async def _obey(self, order: Order) -> None:
        try:
            result = await (self._lines(order) if order.name == "miner-log" else self._control(order))
        except Invalid as error:
            self._tell(bad_arguments(order.id, error))
        except Exception as error:
            log.exception("command %s", order.name)
            self._tell(ack(order.id, "failed", "fault", {"problem": str(error)[:256]}))
        else:
            self._tell(ack(order.id, "done", result=result))

    async def _control(self, order: Order) -> dict[str, Any]:
        do: str = order.args["do"]
        if do.startswith("maintenance-"):
            self._store.maintain(do == "maintenance-on")
            for each in self._rollout.miners.values():
                each.rest_watching()
            self._report()
            return {"maintenance": self._store.maintenance}
        miner = self._miner(order)
        before = miner.process
        match do:
            case "pause":
                await miner.pause()
            case "resume":
                await miner.resume()
            case "restart":
                miner.restart("by command")
            case _:
                miner.set_stopped(do == "stop")
        if do in ("restart", "stop") or (do == "start" and before is None):
            with suppress(TimeoutError):
                await asyncio.wait_for(_followed(miner, before, do), self._settings.stop_s + FOLLOW_S)
        return _step(miner)

    async def _lines(self, order: Order) -> dict[str, Any]:
        path = self._places.log(self._miner(order).plan.name)
        return {"lines": await asyncio.to_thread(miner_log.last_lines, path, order.args.get("lines", 100))}

    def _miner(self, order: Order) -> Supervisor:
        name = order.args.get("name", "")
        if name not in self._rollout.miners:
            allowed = ", ".join(self._rollout.miners) or "none runs here"
            raise Invalid("name", f"must be a miner of this host: {allowed}")
        return self._rollout.miners[name]

    # What only the host's owner can allow

    async def _do(self, deed: str) -> str:
        argv = self._settings.reboot if deed == "reboot" else self._settings.restart_driver
        if not argv:
            return f"not done, since FARMHAND_MINER_{deed.replace('-', '_').upper()} names no program"
        try:
            ended = await asyncio.to_thread(
                subprocess.run, argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEED_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"{argv[0]} failed: {error}"
        return f"{argv[0]} ended with code {ended.returncode}"

    def _spawn(self, doing: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _followed(miner: Supervisor, before: Process | None, do: str) -> None:
    """Wait, so that the answer to a command tells what came of it."""
    await asyncio.sleep(LOOK_S)
    while miner.process is not None if do == "stop" else miner.process in (None, before) and miner.step not in RESTS:
        await asyncio.sleep(LOOK_S)


def _step(miner: Supervisor) -> dict[str, Any]:
    told: dict[str, Any] = {"state": miner.step, "release": miner.plan.told["release"]}
    if miner.process is not None:
        told["pid"] = miner.process.id.pid
    if miner.paused:
        told["paused"] = True
    with suppress(ValueError):
        told |= {"problem": miner.problem[:256]} if miner.problem else {}
    return told
