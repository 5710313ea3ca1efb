"""Farm -> the texts Mosquitto reads: conf with bridges, ACL file, password file. Pure."""

from collections.abc import Iterable, Mapping

from broker.domains import DOWN, Domain, Farm, Link, bridge_topic, channels, routes
from broker.users import User, bridge_user

# What Mosquitto's own defaults get wrong for a farm; [domains.<name>.mosquitto] overrides each.
OPTIONS: Mapping[str, str | int | bool] = {
    "allow_anonymous": False,
    # The default of 1000 drops what is acknowledged. Bytes are the guard: outboxes lose nothing.
    # Never 0 ("no limit"): Debian's 2.0.11 then throws out every client whose message it refuses.
    "max_queued_messages": 10_000_000,
    "max_queued_bytes": 32 * 1024 * 1024,
    "max_inflight_messages": 1000,
    # Larger than what schema allows, so that the commander sees and counts an oversized message.
    "message_size_limit": 1024 * 1024,
    "set_tcp_nodelay": True,
    "persistence": True,
    "autosave_interval": 10,
    "persistent_client_expiration": "14d",
    # The check knows no bridges: it would withhold documents that came in over one.
    "check_retain_source": False,
    "sys_interval": 5,
    "connection_messages": True,
    "log_timestamp": False,
}
READABLE = channels("up", "home", "across")  # a node's own words
HIDDEN_FROM_READERS = ("log", "job/share", "job/result", "blob/get")


def conf(
    farm: Farm,
    domain: str,
    directory: str,
    bridge_passwords: Mapping[str, str],
    run_as: str | None = None,
) -> str:
    """mosquitto.conf of ``domain``, whose files are in ``directory``.

    ``bridge_passwords``: link -> password, for the links this domain dials. ``run_as``: the user
    Mosquitto stays when started by root. Certificates: ca.pem, server.pem, server.key.
    """
    here = farm.domains[domain]
    options = {**OPTIONS, **here.mosquitto}
    lines = ["# Written by farmhand at each start; changes belong into farm.toml."]
    if run_as:
        lines.append(f"user {run_as}")
    lines += [f"{key} {_value(value)}" for key, value in options.items()]
    lines += [
        f"persistence_location {directory}/",
        "persistence_file mosquitto.db",
        f"password_file {directory}/passwd",
        f"acl_file {directory}/acl",
        # Not stdout, which Mosquitto buffers when it is a pipe.
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
        "",
        f"listener {here.port} {here.host}" if here.loopback else f"listener {here.port}",
    ]
    if here.tls:
        lines += [f"certfile {directory}/server.pem", f"keyfile {directory}/server.key"]
    for link in farm.links:
        if link.dials == domain:
            lines += ["", *_bridge(farm, link, directory, bridge_passwords[link.name])]
    return "\n".join(lines) + "\n"


def _value(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bridge(farm: Farm, link: Link, directory: str, password: str) -> list[str]:
    remote: Domain = farm.domains[link.answers]
    lines = [
        f"connection {link.name}",
        f"address {remote.host}:{remote.port}",
        f"remote_clientid {bridge_user(link.name)}",
        f"remote_username {bridge_user(link.name)}",
        f"remote_password {password}",
        "bridge_protocol_version mqttv311",
        "try_private true",
        "cleansession false",
        "restart_timeout 1 10",
        "keepalive_interval 5",
        f"notification_topic {bridge_topic(farm.root, link.name)}",
    ]
    if remote.tls:
        lines.append(f"bridge_cafile {directory}/ca.pem")
    for hop, filters in routes(farm).filters.items():
        if hop.link == link.name:
            way = "out" if hop.source == link.dials else "in"
            lines += [f"topic {each} {way} 1" for each in filters]
    return lines


def passwd(users: Iterable[User]) -> str:
    """The password file."""
    return "".join(f"{user.user}:{user.hash}\n" for user in users)


def acl(farm: Farm, domain: str, users: Iterable[User]) -> str:
    """The ACL file of the broker of ``domain``.

    What a node may do is said once, by patterns, so that the file stays short and Mosquitto quick
    with thousands of nodes. Patterns hold for every user, therefore who is no node is denied the
    topics below its own name.
    """
    own = f"{farm.root}/{domain}/%u/+"
    lines = [f"pattern write {own}/{rest}" for rest in READABLE]
    lines += [f"pattern read {own}/{rest}" for rest in DOWN]
    bridges = {bridge_user(link.name): link for link in farm.links if link.answers == domain}
    for user in users:
        lines += ["", f"user {user.user}"]
        lines += [f"topic {right}" for right in _rights(farm, domain, user, bridges)]
        lines += [f"topic {grant}" for grant in user.grants]
    return "\n".join(lines) + "\n"


def _rights(farm: Farm, domain: str, user: User, bridges: Mapping[str, Link]) -> list[str]:
    root = farm.root
    no_node = f"deny {root}/{domain}/{user.user}/#"
    leader = f"read {root}/_/leader"
    match user.role:
        case "node":
            return [leader]
        case "steward":
            purge = f"readwrite {root}/{domain}/#"
            return [leader, "read $SYS/#", f"read {root}/_/bridge/+", purge]
        case "token":
            own = f"{root}/_/enrol/{domain}/{user.user}"
            return [no_node, f"write {own}/req", f"read {own}/res"]
        case "reader":
            seen = [rest for rest in (*READABLE, "stored") if rest not in HIDDEN_FROM_READERS]
            everybody = [f"read {root}/+/+/+/{rest}" for rest in seen]
            farm_wide = [f"read {root}/_/{each}/+" for each in ("bridge", "notice")]
            return [no_node, leader, *farm_wide, "read homeassistant/#", *everybody]
        case "bridge":
            return [no_node, *_bridge_rights(farm, domain, bridges.get(user.user))]
        case "commander":
            return [no_node, *_commander_rights(root)]


def _bridge_rights(farm: Farm, domain: str, link: Link | None) -> list[str]:
    if link is None:  # a link that farm.toml no longer has
        return []
    rights = [f"write {bridge_topic(farm.root, link.name)}"]
    for hop, filters in routes(farm).filters.items():
        if hop.link == link.name:
            right = "read" if hop.source == domain else "write"
            rights += [f"{right} {each}" for each in filters]
    return rights


def _commander_rights(root: str) -> list[str]:
    # What stays retained of a deleted node is cleared by an empty message: a right to write.
    retained = ("state", "info", "alert/+", "latest/+", "reported/+")
    return [
        f"read {root}/#",
        *(f"write {root}/+/+/+/{rest}" for rest in (*DOWN, *retained)),
        f"write {root}/_/leader",
        f"write {root}/_/enrol/+/+/res",
        f"write {root}/_/notice/+",
        "write homeassistant/#",
    ]
