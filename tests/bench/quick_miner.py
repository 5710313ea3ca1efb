"""A miner that starts as quickly as a compiled one: what is measured is the farm, not Python's imports.

Without `site` and `socket.py` it is there after 10 ms of a processor, sentry/mining/simulated_miner.py after 50.
"""

import _socket
import sys

words = sys.argv
port, pool = int(words[words.index("--http-port") + 1]), words[words.index("--url") + 1]
told = f"""{{"version": "1.0", "algo": "rx/0", "hashrate": {{"total": [500]}}, "connection": {{"pool": "{pool}"}}}}"""
answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(told)}\r\nConnection: close\r\n\r\n{told}".encode()
unknown = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
door = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
door.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
door.bind(("127.0.0.1", port))
door.listen(16)
while True:
    handle, _ = door._accept()  # pyright: ignore[reportAttributeAccessIssue]
    caller = _socket.socket(fileno=handle)
    asked = b""
    while b"\r\n\r\n" not in asked and (more := caller.recv(4096)):
        asked += more
    caller.send(answer if asked.startswith(b"GET /2/summary ") else unknown)
    caller.close()
