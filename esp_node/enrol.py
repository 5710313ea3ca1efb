"""A new node redeems its token and becomes a user of its domain's broker. Loaded only for that,
and forgotten afterwards."""

import binascii
import json
import os
import time

from esp_node import late, store, verify
from esp_node.clock import mono_ms
from esp_node.link import Link
from esp_node.logger import log
from schema import tokens
from schema.errors import Invalid

_ASK_AGAIN_MS = 5000


def enrol(settings, folder, software, hardware):
    """Redeem settings["token"]; keeps asking while nobody answers. Returns (None, credential
    {node, password, verify,
    epoch}), stored in <folder>credential.json; or (the commander's reason, None) when it refused
    the token."""
    domain, token_id, secret, _fingerprint = tokens.parse(settings["token"])
    if domain != settings["domain"]:
        raise Invalid("domain", "the token is for %s" % domain)
    # The nonce outlives a power cut: the commander answers the same request again instead of
    # calling the token used.
    nonce = store.read(folder + "nonce.json", None)
    if nonce is None:
        nonce = str(binascii.hexlify(os.urandom(12)), "ascii")
        store.write(folder + "nonce.json", nonce)
    topic = "%s/_/enrol/%s/%s/" % (settings["root"], domain, token_id)
    request = {
        "nonce": nonce,
        "kind": "esp",
        "software": software,
        "hardware": hardware,
        "sign": "hmac",
    }
    if settings["node"]:
        request["name"] = settings["node"]
    answers = []
    asked = [None]

    def on_connect():
        link.subscribe(topic + "res")
        asked[0] = None

    def on_message(_topic, payload, _retained):
        try:
            answer = verify.read("enrol/res", payload or b"")
            if answer["nonce"] == nonce:
                answers.append(answer)
        except Invalid as error:
            log("warning", "enrol: answer refused: " + str(error))

    link = Link(
        "enrol-" + token_id,
        settings["brokers"],
        token_id,
        secret,
        on_connect,
        on_message,
        settings["keepalive_s"],
        settings["timeout_s"],
        tls=late.call("tls", "asked", folder, settings) if settings["ca"] else None,
    )
    link.backoff_most_ms = settings["backoff_s"] * 1000
    payload = json.dumps(request).encode()
    while not answers:
        link.serve(500)
        if link.connected and not answers and (asked[0] is None or mono_ms() - asked[0] > _ASK_AGAIN_MS):
            asked[0] = mono_ms()
            link.publish(topic + "req", payload, qos=1)
    if link.connected:
        link.disconnect()
    return _keep(answers[0], folder)


def _keep(answer, folder):
    for key in ("node", "password", "verify"):
        if key not in answer:
            return answer.get("error", "the answer lacks " + key), None
    credential = {key: answer.get(key, 0) for key in ("node", "password", "verify", "epoch")}
    store.write(folder + "credential.json", credential)
    # The broker must read its new user first: a login before that is refused, and stands as an alert.
    time.sleep(1)
    return None, credential
