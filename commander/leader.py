"""Who may command: a lease in the database. Its epoch rises with each new holder, and every signed body carries it."""

import fcntl
import secrets
import socket
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from commander.db_edge import Database
from commander.fleet.tables import lease

TTL_MS = 30_000
RENEW_S = 10.0
GIVE_UP_S = 20.0
NAME = "leader"


class AlreadyRunning(RuntimeError):
    """Another commander process works on this state folder."""

    def __init__(self, folder: Path) -> None:
        self.user_message = f"state: another commander runs on {folder}; stop it first (farmhand status)"
        super().__init__(self.user_message)


def holder_of(folder: Path) -> tuple[str, IO[str]]:
    """This commander's name, made once and kept in its folder, and the lock that keeps a second process out."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "holder").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(folder) from None
    file.seek(0)
    name = file.read().strip()
    if not name:
        name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        file.write(name)
        file.flush()
    return name, file


def acquire(database: Database, holder: str, now: int) -> int | None:
    """The new epoch when the lease is free, run out, or was this holder's own; None while another one holds it."""
    with database.writing() as connection:
        _ensure(connection, holder)
        mine = lease.c.holder == holder
        changed = connection.execute(
            update(lease)
            .where(lease.c.name == NAME, mine | (lease.c.expires < now))
            .values(holder=holder, epoch=lease.c.epoch + 1, expires=now + TTL_MS)
        )
        if changed.rowcount == 0:
            return None
        return connection.execute(select(lease.c.epoch).where(lease.c.name == NAME)).scalar_one()


def renew(database: Database, holder: str, epoch: int, now: int) -> bool:
    """Extend the lease; False when it is another's by now. `epoch` may have been jumped ahead by a restore."""
    with database.writing() as connection:
        changed = connection.execute(
            update(lease)
            .where(lease.c.name == NAME, lease.c.holder == holder)
            .values(epoch=epoch, expires=now + TTL_MS)
        )
        return changed.rowcount == 1


def release(database: Database, holder: str) -> None:
    """Let the next commander take over at once."""
    with database.writing() as connection:
        connection.execute(update(lease).where(lease.c.name == NAME, lease.c.holder == holder).values(expires=0))


def current_holder(database: Database) -> str:
    """Who holds the lease."""
    with database.reading() as connection:
        return connection.execute(select(lease.c.holder).where(lease.c.name == NAME)).scalar_one_or_none() or ""


def _ensure(connection: Connection, holder: str) -> None:
    if connection.execute(select(lease.c.name).where(lease.c.name == NAME)).first() is None:
        try:
            with connection.begin_nested():
                connection.execute(lease.insert().values(name=NAME, holder=holder, epoch=0, expires=0))
        except IntegrityError:
            pass  # another commander was quicker; the update decides
