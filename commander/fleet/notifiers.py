"""Records of where alerts are told: made, changed, removed. Pure."""

from typing import Any

from commander.effects import Effects, Farm, Moment, Put, Refused, Row, audit, refuse_unless
from commander.fleet.notices import SEVERITIES
from schema.message import is_id

MOST = 50
LONGEST_AFTER_S = 86_400


def set_notifier(
    farm: Farm, name: str, kind: str, data: dict[str, Any], severity: str, after_s: int, moment: Moment
) -> Effects:
    """Make or change one; `data` has been checked by its kind."""
    refuse_unless(is_id, "name", name)
    if severity not in SEVERITIES:
        raise Refused("severity", "must be one of: " + ", ".join(SEVERITIES))
    if not 0 <= after_s <= LONGEST_AFTER_S:
        raise Refused("after_s", f"must be from 0 to {LONGEST_AFTER_S}")
    old = farm["notifier"].get(name)
    if old is None and len(farm["notifier"]) >= MOST:
        raise Refused("name", f"there are {MOST} already, which is the most")
    row: Row = {"name": name, "kind": kind, "data": data, "severity": severity, "after_s": after_s}
    row |= {"updated": moment.now, "by": moment.by}
    effects: Effects = [Put("notifier", name, row)]
    if old is None:  # what stands already is known to whoever makes it
        for (node, device, alert), each in farm["alert"].items():
            if SEVERITIES.index(each["severity"]) >= SEVERITIES.index(severity):
                key = (name, node, device, alert)
                shown = {column: each[column] for column in ("since", "severity", "text")}
                said: Row = {"notifier": name, "node": node, "device": device, "name": alert, **shown}
                effects.append(Put("notified", key, said))
    return [*effects, audit(moment, "notifier changed" if old else "notifier made", name, {"kind": kind})]


def remove_notifier(farm: Farm, name: str, moment: Moment) -> Effects:
    """Tell nothing there any more."""
    if name not in farm["notifier"]:
        raise Refused("name", f"there is no notifier {name}", 404)
    told: Effects = [Put("notified", key, None) for key in farm["notified"] if key[0] == name]
    return [Put("notifier", name, None), *told, audit(moment, "notifier removed", name, {})]
