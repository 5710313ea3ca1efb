"""What takes long to make and always comes out the same: made once, kept between runs by what it comes from."""

import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.conftest import LOCAL


def kept(kind: str, sources: Iterable[str | bytes], make: Callable[[Path], object]) -> Path:
    """The folder that `make` filled. Nobody may write there: whoever wants to takes a copy."""
    parts = (each.encode() if isinstance(each, str) else each for each in sources)
    digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]
    place = LOCAL / kind / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:  # several test processes, one build
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent) as name:
                folder = Path(name) / "made"
                folder.mkdir()
                make(folder)
                folder.rename(place)
    return place
