"""What the miners of a host share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sentry.extras import Wish
from sentry.mining.ask import Asker
from sentry.mining.install import Installer
from sentry.mining.miner_places import Places
from sentry.mining.miner_settings import MinerSettings
from sentry.mining.miner_store import Store
from sentry.mining.processes import Processes


@dataclass(frozen=True, slots=True)
class Tools:
    """What all miners of the host share. ``changed``: called when there is something new to report; ``deed``: does what
    only the host's owner may allow, and says how it went."""

    settings: MinerSettings
    installer: Installer
    places: Places
    store: Store
    asker: Asker
    processes: Processes
    tell: Callable[[Wish], None]
    changed: Callable[[], None]
    deed: Callable[[str], Awaitable[str]]
