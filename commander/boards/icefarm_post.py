"""What each iCEFARM client still has to be told, and by which of its sockets. Pure: the time is given.

A client opens a socket to the control server and one to the server of its boards, and hands what comes on either to the
same code. Both are this gateway, so each event goes to one socket: the newest, as an older one may belong to a process
that is dead and not yet given up. Only what makes the client close the second socket goes by the first, as it would be
closed before it has acknowledged. A letter is kept until that; when its socket ends before, it goes to the next.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from commander.boards.icefarm import INITIALIZED, event

MOST_KEPT = 10_000  # letters of a client; of more, the oldest are dropped
SETTLE_S = 1.0  # from the connection of a socket to `initialized`: see `Client.announced`
FIRST_S, LONGEST_S = 1.0, 8.0  # between two of them


class Sending(NamedTuple):
    """Text for a socket; `number` is acknowledged, 0 is not."""

    sid: str
    number: int
    text: str


@dataclass
class Letter:
    text: str
    parting: bool
    sid: str = ""  # of the socket that it was given to


@dataclass
class Announced:
    at: float = 0.0
    pause_s: float = FIRST_S


@dataclass
class Client:
    name: str
    sockets: dict[str, float] = field(default_factory=dict[str, float])  # sid -> since; the newest last
    letters: dict[int, Letter] = field(default_factory=dict[int, Letter])
    announced: dict[str, Announced] = field(default_factory=dict[str, Announced])
    """Boards of which `initialized` is told again and again: the client hears it only while it waits for it, and begins
    to wait some time after it has connected. Its first request for a board says that it has heard."""

    @property
    def socket(self) -> str:
        return next(reversed(self.sockets), "")

    @property
    def oldest(self) -> str:
        return next(iter(self.sockets), "")


class Post:
    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self._names: dict[str, str] = {}  # of sockets
        self._number = 0

    def name_of(self, sid: str) -> str:
        return self._names.get(sid, "")

    def know(self, name: str, sid: str) -> None:
        """Whose a socket is: it may ask at once, while what it is told waits for join."""
        self._names[sid] = name

    def join(self, name: str, sid: str, now: float) -> list[Sending]:
        """A socket of a client is there; what has waited for one."""
        client = self._client(name)
        client.sockets[sid] = now
        self.know(name, sid)
        return self._deliver(client)

    def leave(self, sid: str) -> list[Sending]:
        """A socket is gone; what it has not acknowledged, for the next."""
        client = self.clients.get(self._names.pop(sid, ""))
        if client is None:
            return []
        client.sockets.pop(sid, None)
        for letter in client.letters.values():
            letter.sid = "" if letter.sid == sid else letter.sid
        return self._deliver(client)

    def put(self, name: str, text: str, parting: bool = False) -> list[Sending]:
        """Something a client must be told, sooner or later. `parting`: after that it has no use for a board."""
        client = self._client(name)
        self._number += 1
        client.letters[self._number] = Letter(text, parting)
        if len(client.letters) > MOST_KEPT:
            del client.letters[next(iter(client.letters))]
        return self._deliver(client, self._number)

    def acknowledged(self, name: str, number: int) -> None:
        if name in self.clients:
            self.clients[name].letters.pop(number, None)

    def announce(self, name: str, serial: str) -> None:
        self._client(name).announced[serial] = Announced()

    def hush(self, name: str, serials: list[str]) -> None:
        """Nothing more of these boards' beginning."""
        if name in self.clients:
            for serial in serials:
                self.clients[name].announced.pop(serial, None)

    def due(self, now: float) -> list[Sending]:
        """`initialized`, as often as it is to be told."""
        found: list[Sending] = []
        for client in self.clients.values():
            if not client.socket or now - client.sockets[client.socket] < SETTLE_S:
                continue
            for serial, told in client.announced.items():
                if now >= told.at:
                    told.at, told.pause_s = now + told.pause_s, min(told.pause_s * 2, LONGEST_S)
                    found.append(Sending(client.socket, 0, event(serial, INITIALIZED)))
        return found

    def to_all(self, text: str) -> list[Sending]:
        """Of passing interest: only for those who are there."""
        return [Sending(client.socket, 0, text) for client in self.clients.values() if client.socket]

    def forget(self, known: set[str]) -> None:
        """Clients that are neither there nor known any more."""
        for name in [name for name, client in self.clients.items() if not client.sockets and name not in known]:
            del self.clients[name]

    def _client(self, name: str) -> Client:
        return self.clients.setdefault(name, Client(name))

    def _deliver(self, client: Client, *numbers: int) -> list[Sending]:
        if not client.socket:
            return []
        found: list[Sending] = []
        for number in numbers or list(client.letters):
            letter = client.letters.get(number)
            if letter and not letter.sid:
                letter.sid = client.oldest if letter.parting else client.socket
                found.append(Sending(letter.sid, number, letter.text))
        return found
