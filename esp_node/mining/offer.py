"""A job/offer (schema/mining.py), checked and handed to its slave. Loaded for each."""

import json

from schema.errors import Invalid

_HEX = "0123456789abcdef"


def take(slave, payload, now):
    """Hand the job and the verdict in `payload` to `slave`; Invalid names what is wrong."""
    try:
        offer = json.loads(payload or b"")
    except ValueError:
        raise Invalid("offer", "is not JSON")
    if not isinstance(offer, dict):
        raise Invalid("offer", "must be an object")
    verdict, job = offer.get("verdict"), offer.get("job")
    if verdict is not None:
        slave.verdict(_checked("verdict", verdict, {"id": str, "word": str}), now)
    if job is not None:
        _checked("job", job, {"id": str, "last": str, "target": str, "difficulty": int, "until": int})
        for field in ("last", "target"):
            if len(job[field]) != 40 or job[field].strip(_HEX):
                raise Invalid("job." + field, "must be 40 hex digits")
        slave.offer(job, now)


def _checked(name, given, kinds):
    if not isinstance(given, dict):
        raise Invalid(name, "must be an object")
    for field in kinds:
        if type(given.get(field)) is not kinds[field]:
            raise Invalid("%s.%s" % (name, field), "is missing or of the wrong kind")
    return given
