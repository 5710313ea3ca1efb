"""Dead letters: what was refused, from whom and why. Pure. A flood is counted, not kept."""

from commander.effects import Add, Effects, Farm, Put, Row
from schema.message import Invalid

KEPT_PER_MINUTE = 20
KEPT_BYTES = 2_048


def refuse(farm: Farm, sender: str, topic: str, payload: bytes, error: Invalid, now: int) -> tuple[Effects, bool]:
    """Effects of a refusal, and whether it is the first of this sender and minute (worth a line in the log)."""
    minute = now // 60_000
    old = farm["dead_count"].get(sender) or {"count": 0, "minute": 0, "in_minute": 0}
    in_minute = old["in_minute"] + 1 if old["minute"] == minute else 1
    row: Row = {"sender": sender, "count": old["count"] + 1, "last": now, "minute": minute, "in_minute": in_minute}
    effects: Effects = [Put("dead_count", sender, row)]
    if in_minute <= KEPT_PER_MINUTE:
        text = payload[:KEPT_BYTES].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
        letter = {"ts": now, "sender": sender, "topic": _clean(topic), "field": error.field, "problem": error.problem}
        effects.append(Add("dead_letter", {**letter, "size": len(payload), "payload": text}))
    return effects, in_minute == 1


def sender_of(topic: str) -> str:
    """The node level of a topic, as far as there is one."""
    levels = topic.split("/")
    return _clean(levels[2])[:64] if len(levels) > 2 else "?"


def _clean(text: str) -> str:
    return text[:512].replace("\x00", "").encode("utf-8", "replace").decode()
