"""What a pool gateway may beyond the rights of every node. Pure."""

from commander.effects import Farm, Refused

READ = ("state", "info", "job/share")
WRITTEN = "job/offer"


def of_gateway(root: str, domain: str, node: str) -> list[str]:
    """Grants at the gateway's own broker for the devices of one node."""
    devices = f"{root}/{domain}/{node}/+"
    return [*(f"read {devices}/{rest}" for rest in READ), f"write {devices}/{WRITTEN}"]


def for_gateway(farm: Farm, root: str, home: str, gateway: str, workers: list[str]) -> list[str]:
    """Grants for node ``gateway`` to hand jobs to the devices of the nodes ``workers``; it may be one of them."""
    if gateway not in farm["node"]:
        raise Refused("node", f"{gateway} does not exist", 404)
    here = farm["node"][gateway]["domain"]
    found: list[str] = []
    for worker in workers:
        if worker not in farm["node"]:
            raise Refused("pool_gateway_of", f"{worker} does not exist")
        domain = farm["node"][worker]["domain"]
        if here not in (domain, home):
            problem = f"{worker} lives in {domain}: its gateway must live there, or in {home}, not in {here}"
            raise Refused("pool_gateway_of", problem)
        found += of_gateway(root, domain, worker)
    return found
