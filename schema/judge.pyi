from typing import Any

Seen = dict[str, Any]

REMEMBERED_IDS: int

def judge_epoch(seen: Seen, body: dict[str, Any]) -> None: ...
def accept_desired(seen: Seen, document: str, body: dict[str, Any]) -> tuple[Seen, bool]: ...
def accept_command(
    seen: Seen, body: dict[str, Any], now: int, boot: str, retained: bool = False
) -> Seen: ...
