"""The time from a network time server (SNTP, RFC 4330): one question, one answer, at most a second. Loaded for that,
then forgotten. Not signed: whoever is in the way can lie by as much as `clock` believes (2024 to 2100)."""

import os
import socket
import struct
import time

from esp_node import clock
from esp_node.logger import log

_PORT = 123
_LIMIT_MS = 800
_TO_1970 = 2208988800  # s from 1900, the begin of NTP's era 0
_ERA = 4294967296
_FIRST = 1704067200000  # 2024
_LAST = 4102444800000  # 2100


def sync(servers, attempt=0):
    """Ask servers[attempt % number] ("host" or [host, port]) and set the clock, and the machine's RTC where there is
    one. Returns by how many ms the clock was changed, None when it was not known before. OSError when there is no
    answer in 0.8 s (finding the address of a name may take longer, a number does not), ValueError for an answer that
    is none: call again later, with the next attempt."""
    server = servers[attempt % len(servers)]
    host, port = (server, _PORT) if isinstance(server, str) else server
    change = set_clock(ask(host, port))
    _set_rtc(clock.unix_ms())
    return change


def first(node):
    """Ask at the begin of a connection, if it is time to. Returns what is to be done next."""
    try:
        node.sync()
    except (OSError, ValueError) as error:  # the task `time` tries again
        log("warning", "time: %s" % error)
    return "birth", "hello", node


def set_clock(now):
    """It is `now` (ms since 1970 UTC). Returns by how many ms the clock was changed, None when it was not known
    before. ValueError outside of 2024 to 2100."""
    if not _FIRST <= now < _LAST:
        raise ValueError("time: must be between 2024 and 2100")
    before = clock.unix_ms()
    clock.set_at = clock.mono_ms()
    clock.offset = now - clock.set_at
    return now - before if before else None


def ask(host, port=_PORT):
    """Milliseconds since 1970 UTC, now. OSError, ValueError as in `sync`."""
    address = socket.getaddrinfo(host, port)[0][-1]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.connect(address)  # the answers of others do not come through
        # The server repeats our time in its answer: random, so that nobody else can answer.
        nonce = os.urandom(8)
        began = clock.ticks_ms()
        sock.send(b"\x23" + bytes(39) + nonce)
        while True:
            left = _LIMIT_MS - clock.ticks_diff(clock.ticks_ms(), began)
            if left <= 0:
                raise OSError("ntp: %s: no answer" % host)
            sock.settimeout(left / 1000)
            answer = sock.recv(68)
            spent = clock.ticks_diff(clock.ticks_ms(), began)
            if len(answer) >= 48 and answer[24:32] == nonce:
                return _read(answer, spent, host)
    finally:
        sock.close()


def _read(answer, spent, host):
    if answer[1] == 0:  # "kiss of death"
        raise ValueError("ntp: %s: refuses: %s" % (host, "".join([chr(one & 127) for one in answer[12:16]])))
    if answer[0] & 7 != 4 or answer[0] >> 6 == 3 or answer[1] > 15:
        raise ValueError("ntp: %s: is not synchronised, or no server" % host)
    received, sent = _stamp(answer, 32), _stamp(answer, 40)
    if struct.unpack("!II", answer[40:48]) == (0, 0) or not 0 <= sent - received <= spent:
        raise ValueError("ntp: %s: answered no time" % host)
    return sent + (spent - (sent - received)) // 2


def _stamp(answer, at):
    seconds, fraction = struct.unpack("!II", answer[at : at + 8])
    if seconds < 0x80000000:  # RFC 4330: era 1, from 2036 on
        seconds += _ERA
    return (seconds - _TO_1970) * 1000 + (fraction * 1000 >> 32)


def _set_rtc(now):
    try:
        from machine import RTC
    except ImportError:
        return
    first = 0 if time.gmtime(0)[0] == 1970 else 946684800
    year, month, day, hour, minute, second, weekday = time.gmtime(now // 1000 - first)[:7]
    RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
