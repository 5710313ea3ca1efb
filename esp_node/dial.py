"""The start and the end of a connection: CONNECT, and how long to stay away. Loaded for that, then forgotten."""

import random
import select
import socket
import struct

from esp_node.client import MQTTException
from esp_node.logger import log

_BACKOFF_MS = 250


def connect(link, clean_session, timeout_s):
    """Link.connect()."""
    link.unacked = 0
    link.pinged = link.asked = link.fault = None
    link.sock, known = _opened(link, clean_session, timeout_s or link.timeout_s)
    link.poller.register(link.sock, select.POLLIN)
    return known


def drop(link, why):
    """Link.drop(), after `why`; says in the log what happened.

    The pause before the next attempt is ever longer; half of it is left to chance, so that a thousand nodes do not come
    back in the same second.
    """
    if link.sock is not None:
        link.poller.unregister(link.sock)
        link.sock.close()
        link.sock = None
    link.connected = False
    link.fault = None
    if link.failures < 3:
        log("warning", "link: %s: %s" % (link.server, _reason(why)))
    pause = min(link.backoff_most_ms, _BACKOFF_MS << min(link.failures, 14))
    link.pause = pause // 2 + (random.getrandbits(16) * (pause // 2) >> 16)
    link.failures += 1


def _opened(link, clean_session, timeout_s):
    # (socket, session known) after CONNACK. Every read and write of the socket gives up after `timeout_s`.
    sock = socket.socket()
    try:
        sock.settimeout(timeout_s)
        sock.connect(socket.getaddrinfo(link.server, link.port)[0][-1])
        try:  # IPPROTO_TCP, TCP_NODELAY: not every port has it; one write per packet is what counts
            sock.setsockopt(6, 1, 1)
        except (OSError, AttributeError):
            pass
        if link.ssl:
            from esp_node.tls import wrap

            sock = wrap(sock, link.ssl, link.server)
        packet = _packet(link, clean_session)
        if sock.write(packet) != len(packet):
            raise OSError("CONNECT not sent in time")
        answer = sock.read(4)
        if answer is None or len(answer) < 4 or answer[0] != 0x20:
            raise OSError("no CONNACK")
        if answer[3]:
            raise MQTTException(answer[3])
        return sock, answer[2] & 1
    except BaseException:
        sock.close()
        raise


def _packet(link, clean_session):
    flags = clean_session << 1
    parts = [_text(link.client_id)]
    if link.lw_topic:
        flags |= 0x04 | link.lw_qos << 3 | link.lw_retain << 5
        parts += [_text(link.lw_topic), _text(link.lw_msg)]
    if link.user is not None:
        flags |= 0xC0
        parts += [_text(link.user), _text(link.pswd)]
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + struct.pack("!H", link.keepalive) + b"".join(parts)
    size = len(body)
    packet = bytearray(b"\x10")
    while size > 0x7F:
        packet.append(size & 0x7F | 0x80)
        size >>= 7
    packet.append(size)
    return packet + body


def _text(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(raw)) + raw


def _reason(error):
    code = error.args[0] if error.args else ""
    if isinstance(error, MQTTException):
        return "refused (%d)%s" % (code, ": user or password" if code in (4, 5) else "")
    return "errno %d" % code if isinstance(code, int) else str(code)
