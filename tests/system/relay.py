"""A TCP relay: the wire of a link, which a test can cut and join again."""

import contextlib
import socket
import threading


class Relay:
    """Listens on `port` of 127.0.0.1 and passes bytes to `target`, both ways, until it is cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._whole = True
        self._losing = threading.Event()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break what is connected; what connects from now on is thrown out at once."""
        with self._lock:
            self._whole = False
            wires, self._open = self._open, []
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        with self._lock:
            self._whole = True

    def lose_answer(self) -> None:
        """What the target says next is thrown away, and the connection with it."""
        self._losing.set()

    @property
    def lost(self) -> bool:
        return not self._losing.is_set()

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._whole:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
            both = threading.Barrier(2)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink, both, source is far), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, both: threading.Barrier, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answers and self._losing.is_set():
                    self._losing.clear()
                    break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        both.wait()  # neither side may close a socket that the other still reads
        source.close()
