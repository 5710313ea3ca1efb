"""One commander process: settings -> database -> projection -> line -> MQTT -> HTTP, and back down in reverse."""

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from broker import domains
from broker.certs import fingerprint
from broker.farmfile import Farm as FarmFile
from broker.files import write_private
from broker.users import steward_user
from commander import leader
from commander.blob_edge import BlobSender, BlobStore
from commander.db_edge import Database, DatabaseUnavailable
from commander.effects import Moment, Put
from commander.fleet import blobs, enrolment, tables
from commander.fleet.retention import DAY, Housekeeping
from commander.flow import Flow
from commander.keys import Keys
from commander.mining.newcomers import Newcomers
from commander.mqtt_edge import Access, MqttEdge
from commander.notify_edge import Notifier
from commander.settings import Settings
from schema import fleet, topics, wire

log = logging.getLogger(__name__)

MIB = 1024 * 1024
PRUNE_MS = 3_600_000


class NotReady(RuntimeError):
    """Something the commander needs is missing; says what to do."""

    def __init__(self, problem: str) -> None:
        self.user_message = problem
        super().__init__(problem)


class Service:
    """Everything of a commander but HTTP, which is given this object."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.farmfile = load_farm(settings.state)
        self.secrets = _secrets(settings.state)
        self.folder = settings.state / "commander"
        ca = settings.state / "ca" / "ca.pem"
        self.fingerprint = fingerprint(ca.read_text()) if ca.exists() else ""
        self.holder, self._lock = leader.holder_of(self.folder)
        self.database = Database(database_url(settings, self.farmfile))
        self.database.migrate()
        keys = Keys(self.secrets["ed25519"]["private"], self.secrets["ed25519"]["public"])
        self._await_lease()
        self.flow = Flow(
            self.database.load(), self.database, keys, self.farmfile.root, settings.batch_rows, settings.batch_wait_s
        )
        self.flow.epoch = self._epoch
        self.database.holder = self.holder
        self.flow.marks.every_ms = int(settings.marks_every_s * 1000)
        self._open_doors()
        self._add_stewards()
        self._add_admin_key()
        self.mqtt = MqttEdge(*self._mqtt_arguments())
        self.flow.mqtt = self.mqtt
        self.blobs = BlobStore(self.database)
        self._newcomers = Newcomers()
        rate = settings.blob_mib_s * MIB
        self._sender = BlobSender(self.blobs, self.farmfile.root, rate, self.mqtt.publish, self.mqtt.leader.under_way)
        self.flow.send_blobs = self._sender.ask
        self.notifier = Notifier(self.flow.farm, self.flow.ask, self._tell, settings.notify_pause_s)
        self.flow.on_tick += [self._lead, self._prune, self._serve_newcomers]
        self.flow.on_lost_lease = self._lost
        self.lost_lease = threading.Event()
        self.on_end: Callable[[], None] = lambda: None  # the line has ended: HTTP has no reason to go on
        self._line = threading.Thread(target=self._run_line, name="line")
        self._housekeeping = Housekeeping(self.database, settings, lambda: self.blobs.sweep(self.flow.farm))

    def start(self) -> None:
        with self.database.reading() as connection:
            unsent = connection.execute(tables.outbox.select().order_by(tables.outbox.c.id)).mappings().all()
        self._line.start()
        self.mqtt.start()
        for row in unsent:
            self.mqtt.publish(*self.flow.outbox.again(dict(row), self._epoch))
        self._housekeeping.start()
        self._sender.start()
        self.notifier.start()

    def stop(self) -> None:
        """Stop taking in, commit what is in hand, give the lease back."""
        self.notifier.stop()
        self._housekeeping.stop()
        self._sender.stop()
        self.flow.stop()
        self._line.join(timeout=10)
        self.mqtt.stop()
        if not self.lost_lease.is_set():
            with suppress(DatabaseUnavailable):  # the lease runs out by itself
                leader.release(self.database, self.holder)
        self.database.close()
        self._lock.close()

    def _run_line(self) -> None:
        try:
            self.flow.run()
        except Exception:
            log.critical("the line ended; this commander ends with it", exc_info=True)
        self.on_end()

    @property
    def http(self) -> str:
        """host:port of the API and the pages."""
        return self.settings.http or self.farmfile.commander.http

    def line_runs(self) -> bool:
        """Whether the line works; without it nothing is stored."""
        return self._line.is_alive()

    # --- set-up ------------------------------------------------------------------------------------------------------
    def _await_lease(self) -> None:
        told = False
        while True:
            epoch = leader.acquire(self.database, self.holder, int(time.time() * 1000))
            if epoch is not None:
                self._epoch, self._renewed = epoch, time.monotonic()
                return
            if not told:
                log.info("standing by: %s leads the farm", leader.current_holder(self.database))
                told = True
            time.sleep(1)

    def _open_doors(self) -> None:
        for name in self.farmfile.domains:
            links = domains.path_links(self.farmfile, name)
            row = {"domain": name, "home": name == self.farmfile.home, "up": False, "since": 0, "links": links}
            self.flow.farm["door"][name] = row

    def _add_stewards(self) -> None:
        now = int(time.time() * 1000)
        for name in self.farmfile.domains:
            node_id = steward_user(name)
            if node_id not in self.flow.farm["node"]:
                row = enrolment.new_node(node_id, name, "steward", now) | {"role": "steward"}
                self.flow.apply([Put("node", node_id, row)])

    def _add_admin_key(self) -> None:
        """The first key of a farm lies beside its secrets, for the command line of the same user."""
        path = self.folder / "admin.key"
        if not path.exists():
            write_private(path, f"fk_{secrets.token_urlsafe(32)}\n".encode())
        wanted = sha256(path.read_text().strip().encode()).hexdigest()
        row = {"id": "k-local", "name": "local", "role": "admin", "hash": wanted, "created": int(time.time() * 1000)}
        if not any(key["hash"] == wanted for key in self.flow.farm["api_key"].values()):
            self.flow.apply([Put("api_key", row["id"], row)])

    def _mqtt_arguments(self) -> tuple[Access, str, dict[str, list[str]], list[str], Callable[[Any], None]]:
        farm = self.farmfile
        home = farm.domains[farm.home]
        user = self.secrets["commander"]
        ca = str(self.settings.state / "ca" / "ca.pem") if home.tls else ""
        access = Access(home.host, home.port, user["user"], user["password"], ca)
        filters = {
            name: [f"{farm.root}/{name}/+/+/{rest}" for rest in domains.UP] + [f"{farm.root}/_/enrol/{name}/+/req"]
            for name in farm.domains
        }
        return access, farm.root, filters, [f"{farm.root}/_/bridge/+", f"{farm.root}/_/leader"], self.flow.inbox.put

    def _tell(self, name: str, notice: dict[str, Any]) -> None:
        topic = topics.build(fleet.NOTICE, self.farmfile.root, name=name)
        self.mqtt.publish(topic, wire.encode(fleet.NOTICE, notice), 1, False)

    def _prune(self, now: int) -> None:
        if now >= self._next_prune:
            self._next_prune = now + PRUNE_MS
            self.flow.apply(blobs.prune(self.flow.farm, now - int(self.settings.keep_blobs_days * DAY)))

    _next_prune = 0

    def _serve_newcomers(self, now: int) -> None:
        self._newcomers.serve(self.flow.farm, Moment(now, os.urandom, by="commander"), self.flow.apply)

    # --- leading -----------------------------------------------------------------------------------------------------
    def _lead(self, now: int) -> None:
        since = time.monotonic() - self._renewed
        # A connection that went away may have been taken over by the next leader: look at once.
        if since < leader.RENEW_S and self._announced == self.flow.epoch and self.mqtt.leader.connected:
            return
        try:
            held = leader.renew(self.database, self.holder, self.flow.epoch, now)
        except Exception as error:
            log.warning("cannot renew the lease: %s", error)
            held = since < leader.GIVE_UP_S
        else:
            self._renewed = time.monotonic()
        if not held:
            log.error("the lease is lost: another commander leads; stopping")
            self._lost()
            return
        # Whoever hears of a new leader answers at once: it must be listening by then.
        new = self._announced != self.flow.epoch
        if not self.mqtt.leader.connected or (new and not all(session.connected for session in self.mqtt.sessions)):
            return
        self._announced = self.flow.epoch
        self.mqtt.publish(*self.flow.outbox.leader(self.flow.epoch, self.holder, now + leader.TTL_MS))

    _announced = -1

    def _lost(self) -> None:
        self.lost_lease.set()
        self.flow.stop()
        self.mqtt.stop()  # both would throw each other out of the same sessions, for ever


def load_farm(state: Path) -> FarmFile:
    """The farm that <state>/farm.toml describes."""
    path = state / "farm.toml"
    try:
        text = path.read_text()
    except OSError as error:
        raise NotReady(f"{path}: {error.strerror}; `farmhand up` makes one, --state names another folder") from None
    return domains.load(text, str(path))


def database_url(settings: Settings, farm: FarmFile) -> str:
    """SQLAlchemy URL: the setting, else farm.toml, else SQLite in the state folder."""
    url = settings.database or farm.commander.database
    return f"sqlite:///{(settings.state / 'commander' / 'commander.db').absolute()}" if url == "sqlite" else url


def _secrets(state: Path) -> dict[str, dict[str, str]]:
    path = state / "commander" / "secrets.json"
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise NotReady(f"{path}: {error.strerror}; `farmhand up` or `farmhand broker kit` makes it") from None
