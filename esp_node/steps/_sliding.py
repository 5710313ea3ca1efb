"""Sliding windows: what takes the place of the take() of a Window."""


def slide(window, count, window_ms):
    """take(ts, value) of `window`."""
    ring = []

    def take(ts, value):
        ring.append((ts, value))
        while len(ring) > count or (window_ms and not 0 <= ts - ring[0][0] < window_ms):
            del ring[0]
        if window_ms or len(ring) == count:
            for _, value in ring:
                window.fold(value)
                window.folded += 1
            window.close(ts)

    return take
