"""What can be told to an ASIC, and the refusals. The sentry watches only, unless the ASIC's record allows more."""

from collections.abc import Mapping
from typing import Any

from schema.message import Invalid
from sentry.mining.asic_look import PYASIC, Looker
from sentry.mining.figures import Figures
from sentry.mining.miners import BadAnswer, NoAnswer

POWER = "power_limit"
BOARD_WISE = ("sleep", "wake")


class Refused(Exception):
    """``code``: a word for programs."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code


class Controller:
    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    def able(self, kind: str) -> list[str]:
        """What a type can be told."""
        return sorted(self._looker.pyasic.controls if kind == PYASIC else self._looker.adapter(kind).controls)

    async def do(self, record: Mapping[str, Any], do: str, value: float | None, figures: Figures | None) -> list[str]:
        """Its answers, for people. Refused; Invalid for a wrong value; NoAnswer and BadAnswer of the ASIC."""
        name, kind = record["name"], record["type"]
        if not record["control"]:
            raise Refused("control-off", f"{name} is only watched; an admin allows more with `farmhand asic set`")
        if do not in self.able(kind):
            raise Refused("unable", f"{name} is of type {kind}, which can: {', '.join(self.able(kind)) or 'nothing'}")
        if do == POWER and (value is None or not 0 < value < 100_000):
            raise Invalid("value", "must be W, more than 0")
        if kind == PYASIC:
            return [await self._looker.pyasic.control(record["host"], do, value)]
        adapter = self._looker.adapter(kind)
        asks = adapter.controls[do]
        if callable(asks):
            asks = asks(value if do == POWER and value else float(len(figures.cards) if figures else 1))
        answers = await self._looker.asker.tell(asks, record["host"], record.get("port", 0) or adapter.port)
        for answer in answers:
            if adapter.confirm is not None:
                adapter.confirm(answer)
        return [answer.decode("utf-8", "replace").strip("\0\r\n ")[:200] for answer in answers]

    async def first_of(self, record: Mapping[str, Any], deeds: tuple[str, ...], figures: Figures | None) -> str:
        """For a watchdog: the first of these that its type can; says what was done, or why not."""
        able = [do for do in deeds if do in self.able(record["type"])]
        if not able:
            return "not done: its type cannot"
        try:
            await self.do(record, able[0], None, figures)
        except (Refused, Invalid, NoAnswer, BadAnswer) as error:
            return f"not done: {error}"
        return f"{able[0]} done"
