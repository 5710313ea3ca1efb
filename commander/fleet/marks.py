"""Which events of a stream are stored: one mark, and the ranges stored ahead of it. Pure."""

MAX_RANGES = 64

Ranges = list[list[int]]  # never changed in place; lists, as the JSON column gives them back


def is_stored(mark: int, ahead: Ranges, seq: int) -> bool:
    """Whether `seq` is at or below the mark, or in a range ahead of it."""
    return seq <= mark or any(low <= seq <= high for low, high in ahead)


def note(mark: int, ahead: Ranges, low: int, high: int) -> tuple[int, Ranges] | None:
    """The mark and the ranges after low..high has been stored.

    None when that would leave more than MAX_RANGES holes: then it must not be stored; the sender repeats it, since
    the mark stands still.
    """
    if not ahead and low == mark + 1:
        return high, ahead
    if high <= mark:
        return mark, ahead
    merged: Ranges = []
    for begin, end in sorted([*ahead, [low, high]]):
        if begin <= mark + 1:
            mark = max(mark, end)
        elif merged and begin <= merged[-1][1] + 1:
            merged[-1] = [merged[-1][0], max(merged[-1][1], end)]
        else:
            merged.append([begin, end])
    if len(merged) > MAX_RANGES:
        return None
    return mark, merged
