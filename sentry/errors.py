"""What can go wrong in sentry/, as one tree:

SentryError
 +- NotEnrolled    there is no usable credential in the state folder
 +- EnrolFailed    the token was refused, or nobody answered
 +- BrokerRefused  the broker answered, but not with a yes (login, certificate)
 +- HomeFailed     a file of the state folder cannot be used
"""


class SentryError(Exception):
    """Base of all errors here. ``user_message`` is the one line to show to a person."""

    @property
    def user_message(self) -> str:
        return str(self)


class NotEnrolled(SentryError):
    pass


class EnrolFailed(SentryError):
    pass


class BrokerRefused(SentryError):
    pass


class HomeFailed(SentryError):
    pass
