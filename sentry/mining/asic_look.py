"""One look at an ASIC, whatever its type: by our own adapters, or through the library `pyasic` when it is installed."""

from sentry.mining.asic_pyasic import Backend
from sentry.mining.ask import Asker
from sentry.mining.figures import Figures
from sentry.mining.miners import Adapter, BadAnswer, NoAnswer, adapter
from sentry.reading import Scalar

# In the order in which an unknown one is asked.
OWN = ("cgminer", "bitaxe", "iceriver")
PYASIC = "pyasic"


class Looker:
    """``answer_s``: longest time for one answer."""

    def __init__(self, answer_s: float) -> None:
        self.asker = Asker(answer_s)
        self.pyasic = Backend(answer_s)
        self._adapters: dict[str, Adapter] = {}

    def adapter(self, kind: str) -> Adapter:
        if kind not in self._adapters:
            self._adapters[kind] = adapter(kind)
        return self._adapters[kind]

    async def look(self, kind: str, host: str, port: int = 0, kept: dict[int, bytes] | None = None) -> Figures:
        """NoAnswer, BadAnswer."""
        if kind == PYASIC:
            return await self.pyasic.figures(host)
        return await self.asker.figures(self.adapter(kind), host, port, kept=kept)

    async def find(self, host: str, port: int = 0, kinds: tuple[str, ...] = (*OWN, PYASIC)) -> tuple[str, Figures]:
        """The type of an unknown one. NoAnswer when it is none that we know."""
        said: list[str] = []
        for kind in kinds:
            if kind == PYASIC and not self.pyasic.installed:
                continue
            try:
                found = await self.look(kind, host, port)
            except (NoAnswer, BadAnswer) as error:
                said.append(f"{kind}: {error}")
            else:
                return ("braiins" if found.software.lower().startswith("bosminer") else kind), found
        raise NoAnswer("; ".join(said) or f"{host}: no type was asked for")


def described(kind: str, host: str, port: int, figures: Figures) -> dict[str, Scalar]:
    """What a check and a scan tell of an ASIC; hashrate in H/s."""
    algorithm = figures.algorithms[0] if figures.algorithms else None
    return {
        "type": kind,
        "host": host,
        "port": port or None,
        "model": str(figures.extra.get("model") or ""),
        "firmware": str(figures.extra.get("firmware") or ""),
        "software": f"{figures.software} {figures.version}".strip(),
        "hashrate": figures.hashrate,
        "algorithm": algorithm.name if algorithm else "",
        "pool": algorithm.pool if algorithm else "",
        "boards": len(figures.cards),
    }
