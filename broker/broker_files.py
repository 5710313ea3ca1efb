"""The files Mosquitto reads, written from a kit and the users of the moment."""

import os
from pathlib import Path

from broker.errors import BrokerFailed
from broker.files import write_private
from broker.kit import Kit
from broker.mosquitto import acl, conf, passwd
from broker.users import User, merged

CERTIFICATES = ("ca.pem", "server.pem", "server.key")


class BrokerFiles:
    """mosquitto.conf, acl and passwd in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.conf = self.directory / "mosquitto.conf"
        self._read_at_start: list[bytes] = []

    def write(self, kit: Kit, given: tuple[User, ...]) -> bool:
        """Write all three; true when the broker must restart, false when a reload is enough."""
        farm, users = kit.farm, merged(kit.users, given)
        # Started by root, Mosquitto would become another user, who may not read this directory.
        run_as = "root" if os.geteuid() == 0 else None
        text = conf(farm, kit.domain, str(self.directory), kit.bridges, run_as).encode()
        try:
            write_private(self.directory / "acl", acl(farm, kit.domain, users).encode())
            write_private(self.directory / "passwd", passwd(users).encode())
            write_private(self.conf, text)
            present = [self.directory / name for name in CERTIFICATES]
            now = [text, *(path.read_bytes() for path in present if path.exists())]
        except OSError as error:
            raise BrokerFailed(f"{self.directory}: cannot write: {error.strerror}") from None
        changed, self._read_at_start = now != self._read_at_start, now
        return changed
