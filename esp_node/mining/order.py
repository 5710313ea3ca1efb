"""The command `rig`: a letter of the rig's menu, from afar. Loaded for each."""

from schema.errors import Invalid

_FIELDS = ("letter", "slave", "value")


def obey(node, body):
    """Do what the args {letter, slave, value} of a verified command say, and answer on ack/<id>."""
    answer = {"id": body["id"], "status": "done"}
    try:
        args = body["args"]
        if not isinstance(args, dict):
            raise Invalid("args", "must be an object of: " + ", ".join(_FIELDS))
        for field in args:
            if field not in _FIELDS:
                raise Invalid(field, "unknown; allowed: " + ", ".join(_FIELDS))
        answer["result"] = {"lines": node.rig.answer(args.get("letter"), args.get("slave"), args.get("value"))}
    except Invalid as error:
        problem = {"field": error.field, "problem": error.problem}
        answer.update({"status": "refused", "code": "bad-arguments", "result": problem})
    node.send("ack", answer, body["id"])
