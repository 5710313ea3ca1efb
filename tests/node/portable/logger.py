"""The log in a file: rotation by bytes, few writes, a disk that fails."""

import os

from esp_node.logfile import close_logging, get_logger, initialize_logging

HERE = f"/tmp/farmhand-logger-{int.from_bytes(os.urandom(6), 'big')}"
os.mkdir(HERE)
FILE = HERE + "/node.log"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return None


log = get_logger()
log.info("to the console alone")
initialize_logging(FILE, 300)
log.info("%s has %d", "tank", 5)
assert size(FILE) is None, "one line does not wear the flash"
log.error("now")
lines = read(FILE).decode().split("\n")
assert lines[0].endswith("Z info: tank has 5"), lines
assert lines[1].endswith("Z error: now"), lines

# Never more than the limit in either file, at each moment, counted in bytes; and nothing is missing in between.
for number in range(60):
    log.error(f"ä{number}ß")
    assert size(FILE) <= 300
    assert (size(FILE + ".1") or 0) <= 300
close_logging()
told = [line.split("ä")[1] for line in (read(FILE + ".1") + read(FILE)).decode().split("\n")[:-1]]
first = int(told[0][:-1])
assert told == [f"{number}ß" for number in range(first, 60)], told
assert first < 54

# A start does not rotate; a level drops lines; a line longer than the file is cut between two characters.
before = read(FILE), read(FILE + ".1")
initialize_logging(FILE, 300)
log.setLevel("warning")
log.info("dropped")
log.warning("kept")
log.setLevel(10)
close_logging()
assert read(FILE + ".1") == before[1] or read(FILE + ".1") == before[0]
assert read(FILE).endswith(b"warning: kept\n")
assert b"dropped" not in read(FILE)
initialize_logging(FILE, 100)
assert size(FILE) is None or size(FILE) <= 100, "what is left of a larger limit does not break the smaller"
log.error("é" * 200)
assert 98 <= size(FILE) <= 100
assert read(FILE).decode().endswith("é\n")

# Tracebacks, and wrong arguments of the caller.
initialize_logging(FILE, 2000)
try:
    raise ValueError("bad value")
except ValueError as error:
    log.exception("%s failed", "it", exc_info=error)
text = read(FILE).decode()
assert "error: it failed\n  Traceback" in text, text
assert text.endswith("ValueError: bad value\n"), text
for wrong in (0, "1000"):
    problem = ""
    try:
        initialize_logging(FILE, wrong)
    except ValueError as error:
        problem = str(error)
    assert "max_len" in problem

# 512 bytes are written without an error among them, and so is what has waited for 30 s.
initialize_logging(FILE, 2000)
at = size(FILE)
for _ in range(12):
    log.info("." * 40)
assert at < size(FILE) <= at + 600
close_logging()

# A disk that takes nothing (a folder that is not there; a folder in place of the file) costs lines, no more.
file = initialize_logging(HERE + "/nowhere/node.log", 300)
log.error("lost")
assert file.lost == 1
os.mkdir(HERE + "/folder.log")
file = initialize_logging(HERE + "/folder.log", 100000)
log.critical("lost")
log.info("lost, too")
file.flush()
assert file.lost == 2
close_logging()
log.info("goes on")
assert os.system("rm -r " + HERE) == 0
print("ok")
