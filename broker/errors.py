"""What can go wrong in broker/, as one tree:

BrokerError
 +- BadFarmFile      farm.toml says something that is not allowed
 +- BadKit           a kit file or a steward's directory cannot be used
 +- BadCredentials   a credentials document names a user, role or right that is not allowed
 +- BrokerFailed     Mosquitto is missing, does not start, or may not use a port or a file
"""


class BrokerError(Exception):
    """Base of all errors here. ``user_message`` is the one line to show to a person."""

    @property
    def user_message(self) -> str:
        return str(self)


class BadFarmFile(BrokerError):
    """``path`` and ``line`` (from 1) say where, ``reason`` what is wrong and what is allowed."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class BadKit(BrokerError):
    pass


class BadCredentials(BrokerError):
    pass


class BrokerFailed(BrokerError):
    pass
