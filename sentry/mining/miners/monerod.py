"""monerod, the node of Monero, which can mine by itself: JSON-RPC `get_info` and the plain `/mining_status`.

It needs no pool. It begins to mine once it is synchronised with a peer (`--start-mining ADDRESS`). It takes no pause:
after `stop_mining` it has forgotten the address that `start_mining` wants.
"""

from collections.abc import Sequence

from sentry.mining.answer import Answer
from sentry.mining.figures import Algorithm, Figures
from sentry.mining.miners import Adapter, BadAnswer, Http
from sentry.reading import Scalar


def read(answers: Sequence[bytes]) -> Figures:
    """Source: answers of monerod 0.18.0 (tests/mining/recorded/monerod). With `--restricted-rpc` it does not tell
    whether it mines."""
    told = Answer.of(answers[0])
    error = told.part("error").text("message")
    node = told.part("result")
    if "height" not in node:
        raise BadAnswer("result", error or "has no height: it is no monerod")
    mining = Answer.of(answers[1]) if answers[1] else Answer({})
    started, now = node.count("start_time"), node.count("adjusted_time")
    peers = (node.count("incoming_connections_count") or 0) + (node.count("outgoing_connections_count") or 0)
    extra: dict[str, Scalar] = {
        "height": node.count("height"),
        "target_height": node.count("target_height") or None,
        "synchronized": node.flag("synchronized"),
        "peers": peers,
        "network": node.text("nettype"),
    }
    if "active" in mining:
        extra |= {"threads": mining.count("threads_count"), "background": mining.flag("is_background_mining_enabled")}
    return Figures(
        "monerod",
        node.text("version"),
        max(0, now - started) if started and now is not None else None,
        (_algorithm(mining),) if "active" in mining else (),
        extra=extra,
    )


def _algorithm(mining: Answer) -> Algorithm:
    return Algorithm(
        name=mining.text("pow_algorithm"),
        hashrate=mining.amount("speed"),
        user=mining.text("address"),
        difficulty=mining.amount("difficulty"),
    )


ADAPTER = Adapter(
    asks=(Http("/json_rpc", "POST", '{"jsonrpc":"2.0","id":"0","method":"get_info"}'), Http("/mining_status")),
    read=read,
    port=18_081,
    optional=1,
)
