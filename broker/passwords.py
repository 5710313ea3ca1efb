"""Passwords as Mosquitto stores them. Pure but for the salt when none is given."""

import base64
import hashlib
import os
import re

ROUNDS = 101
HASH = re.compile(r"\$7\$[1-9][0-9]{0,6}\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]{86}==")


def hashed(password: str, salt: bytes | None = None) -> str:
    """``$7$<rounds>$<salt>$<PBKDF2-HMAC-SHA512, 64 bytes>``, base64; a random salt of 12 bytes.

    Few rounds are enough: farmhand's passwords are random, 32 bytes, never chosen by a person.
    """
    salt = os.urandom(12) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
