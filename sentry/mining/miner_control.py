"""Tells a miner to pause or to go on, in its own words."""

import logging

from sentry.mining.ask import Asker
from sentry.mining.miner_plan import Plan
from sentry.mining.miners import NoAnswer, adapter

log = logging.getLogger(__name__)


async def control(plan: Plan, asker: Asker, name: str) -> bool:
    """Whether the miner itself obeys ``name``, a control of its adapter."""
    if plan.told["adapter"] == "none":
        return False
    asks = adapter(plan.told["adapter"]).controls.get(name)
    if asks is None or callable(asks):
        return False
    try:
        await asker.tell(asks, "127.0.0.1", plan.port, plan.token)
    except NoAnswer as error:
        log.info("miner %s does not %s by itself: %s", plan.name, name, error)
        return False
    return True
