"""E-mail by SMTP: plain, with STARTTLS, or with TLS from the start."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from commander.fleet.notices import Notice
from commander.notify import ANSWER_S, Mqtt, NotSent, Output


class Settings(Output):
    """``security``: `starttls` (usual port 587), `tls` (465) or `none` (25), where no password may be sent."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)
    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str
    to: list[str] = Field(min_length=1, max_length=20)

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | list[str]) -> str | list[str]:
        for each in [value] if isinstance(value, str) else value:
            name, at, host = each.rpartition("@")
            if not (name and at and host) or not each.isprintable() or set(each) & set(' ,;<>"'):
                raise ValueError(f"{each[:80]!r} must be an address: name@host")
        return value


def send(settings: Settings, notice: Notice, _mqtt: Mqtt) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.sender, ", ".join(settings.to)
    mail["Subject"] = f"farmhand: {notice.title}"
    mail["Date"], mail["Message-ID"] = formatdate(localtime=True), make_msgid(domain="farmhand")
    mail.set_content(notice.text)
    try:
        with _connection(settings) as server:
            if settings.user:
                server.login(settings.user, settings.password)
            server.send_message(mail)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotSent(f"{settings.host}:{settings.port}: {error or type(error).__name__}") from None


def _connection(settings: Settings) -> smtplib.SMTP:
    place = settings.host, settings.port
    context = ssl.create_default_context()
    if settings.security == "tls":
        return smtplib.SMTP_SSL(*place, timeout=ANSWER_S, context=context)
    server = smtplib.SMTP(*place, timeout=ANSWER_S)
    if settings.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    elif settings.user:
        server.close()
        raise NotSent("data.security: a password is sent only with starttls or tls")
    return server
