"""What systems do each in its own way, under one set of names: ``system`` is host_posix.py or host_windows.py."""

import sys

if sys.platform == "win32":
    from sentry import host_windows as system
else:
    from sentry import host_posix as system

__all__ = ["system"]
