VERSION: int
LONGEST: int
LONGEST_PAYLOAD: int
FILLER: int
CLEAR: str
DIFFICULTY: str
ELAPSED: str
HASH: str
IDENTITY: str
LAST: str
LAST_HALF: str
NEW: str
NEW_HALF: str
PACE: str
RESULT: str
STATUS: str
MEASURES: str
ADDRESS: str
REFUSED: str
NEWS: str
IDLE: str
BUSY: str
COMPLETE: str
ERROR: str
ERRORS: dict[int, str]
RAW: int
STAGING: int
PACING: int
TEMPERATURE: int
VOLTAGE: int
RESCUE: int
POWER_ON: int
EXTERNAL: int
BROWN_OUT: int
WATCHDOG: int
ORDERED: int
LARGEST_DIFFICULTY: int
FIRST_ADDRESS: int
LAST_ADDRESS: int
DEFAULT_ADDRESS: int
UNKNOWN_TEMPERATURE: int
FORMATS: dict[str, str]

def crc8(data: bytes) -> int: ...
def frame(letter: str, payload: bytes = ...) -> bytes: ...
def parse(raw: bytes) -> tuple[str, bytes]: ...
def answer_size(letter: str) -> int: ...
def pack_hash(job: int, part: bytes) -> bytes: ...
def pack_start(job: int, difficulty: int) -> bytes: ...
def pack_difficulty(difficulty: int) -> bytes: ...
def pack_pace(hashes_per_s: int) -> bytes: ...
def pack_address(address: int) -> bytes: ...
def pack_job(job: int) -> bytes: ...
def unpack_status(payload: bytes) -> tuple[str, str, int, int, int, int]: ...
def unpack_result(payload: bytes) -> tuple[int, bool, int, int, int]: ...
def unpack_elapsed(payload: bytes) -> tuple[int, int]: ...
def unpack_identity(payload: bytes) -> tuple[int, int, int, int, bytes, int, int, int]: ...
def unpack_measures(payload: bytes) -> tuple[int | None, int | None]: ...
def unpack_refusal(payload: bytes) -> tuple[str, int]: ...
