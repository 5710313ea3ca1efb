"""Whether what `farmhand up` has started is there yet."""

import socket
from pathlib import Path

from commander.api import Api, ApiError


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def api(state: Path) -> Api | None:
    try:
        return Api(state)
    except ApiError:
        return None  # its key is made by the commander's first start


def unready(api: Api) -> list[str]:
    try:
        return api.ready()
    except ApiError as error:
        return [str(error)]


def ready_nodes(api: Api) -> set[str]:
    try:
        return {node["id"] for node in api.get("/nodes", presence="ready", limit=1000)["items"]}
    except ApiError:
        return set()


def waited_for(api: Api, wanted: set[str]) -> str:
    try:
        shown = {node["id"]: node["presence"] for node in api.get("/nodes", limit=1000)["items"]}
        links = [
            f"link {link['name']} is down"
            for d in api.get("/domains")["items"]
            for link in d["links"]
            if not link["up"]
        ]
    except ApiError as error:
        return str(error)
    nodes = [f"{node} is {shown.get(node, 'unknown')}" for node in sorted(wanted) if shown.get(node) != "ready"]
    return ", ".join([*nodes, *links])
