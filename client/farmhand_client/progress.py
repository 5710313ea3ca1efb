"""A bar with what is done and how long the rest will take, where a terminal is there."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """``shown`` None: when stderr is a terminal."""

    def __init__(self, total: int, shown: bool | None = None) -> None:
        self._progress: Progress | None = None
        if sys.stderr.isatty() if shown is None else shown:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
            times = TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn()
            self._progress = Progress(*columns, *times, console=Console(stderr=True))
            self._task = self._progress.add_task("evaluations", total=total)

    def __enter__(self) -> "Bar":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def advance(self) -> None:
        if self._progress:
            self._progress.advance(self._task)
