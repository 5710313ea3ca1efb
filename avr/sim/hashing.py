"""When each slave hashes, as seen in its memory: what of its time is lost between two jobs."""

from dataclasses import dataclass, field

from slave import Slave


@dataclass
class Watch:
    """Of one slave, in cycles. begun: its jobs; busy: spent at jobs whose result is not there yet; gaps: (how long a
    job took, how long it was from its end to the begin of the next)."""

    slave: Slave
    begun: int = 0
    busy: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    _looked: int | None = None
    _job: int = 0
    _begun: int = 0
    _took: int = 0
    _ended: int | None = None

    def look(self, cycles: int) -> None:
        """What changed since the last look was somewhere between, in the middle on average."""
        passed = cycles - self._looked if self._looked is not None else 0
        self._looked = cycles
        job = self.slave.memory("jobs_running", 1)[0]
        if job and self.slave.memory("over", 1)[0]:  # it waits for the result of another job to be collected
            job = 0
        self.busy += passed * (bool(job) + bool(self._job)) // 2
        if job == self._job:
            return
        if self._job:
            self._ended, self._took = cycles, cycles - self._begun
        if job:
            self.begun += 1
            self._begun = cycles
            if self._ended is not None:
                self.gaps.append((self._took, cycles - self._ended))
        self._job = job

    def reset(self) -> None:
        """Count from here on."""
        self.begun = self.busy = 0
        self.gaps = []
