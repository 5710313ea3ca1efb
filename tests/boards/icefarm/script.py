"""Drives an unmodified iCEFARM client in a process of its own: lines of JSON in (method, arguments, keywords) and out.

Run with the client's package alone on the path. What the client is told comes out in between.
"""

import json
import logging
import os
import sys
import threading

from icefarm.client.drivers import PulseCountClient
from icefarm.client.lib import AbstractEventHandler

lock = threading.Lock()


def say(**line):
    with lock:
        print(json.dumps(line), flush=True)


class Teller(AbstractEventHandler):
    def handleEvent(self, event):
        say(event=event.event, serial=event.serial, contents=event.contents)


class Client(PulseCountClient):
    def addEventHandler(self, handler):
        if not self.server.eventhandlers:  # before it is connected
            super().addEventHandler(Teller(self.server))
        super().addEventHandler(handler)

    result_timeout = 30  # as in the client

    def evaluateEvaluations(self, evaluations):
        return super().evaluateEvaluations(evaluations, result_timeout=self.result_timeout)

    def evaluate(self, paths, serials=None, result_timeout=30):
        """In both versions' words: [serial, path, value]."""
        self.result_timeout = result_timeout
        found = []
        for each in self.evaluateBitstreams(paths, serials):
            row = each if isinstance(each, tuple) else (each.serial, each.evaluation.filepath, each.value)
            found.append([*row[:2], row[2] if row[2] is None or isinstance(row[2], str) else repr(row[2])])
        return found


logging.basicConfig(level=logging.INFO)
client = Client(sys.argv[1], sys.argv[2], logging.getLogger("script"))
say(connected=bool(client.server.control_socket))
for line in sys.stdin:
    method, arguments, keywords = json.loads(line)
    try:
        answer = getattr(client, method)(*arguments, **keywords)
        say(answer=sorted(answer) if isinstance(answer, set) else answer)
    except Exception as error:
        say(answer=None, error=repr(error))
os._exit(0)  # its sockets are never closed
