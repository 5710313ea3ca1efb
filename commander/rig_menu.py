"""`farmhand node ESP menu`: the letters of a rig's menu (docs/rig.md), each a signed command to its node."""

import json
import re
import sys
from typing import Annotated, Any

import typer

from commander.api import Api, ApiError
from commander.options import HERE, ApiKey, AsJson, Node, State, Url
from commander.terminal import ESCAPE, Terminal, is_terminal

LOOP_S = 2.0
NUMBERS = {"a": "slave", "n": "address of the new slave", "v": "its new address"}


def menu(
    node: Node,
    keys: Annotated[str, typer.Option("--keys", help='do these and end, for example "a 11 i o"')] = "",
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="seconds to wait for each answer")] = 30,
    state: State = HERE,
    url: Url = "",
    key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """The menu of a node's rig, also as `farmhand node NODE menu`. Without a terminal: lines like those of --keys.
    Exit code 1 when a letter was refused."""
    session = Session(Api(state, url, key), node, timeout, as_json)
    if keys:
        done = session.all_of(keys)
    elif is_terminal():
        done = converse(session)
    else:
        done = True
        for line in sys.stdin:
            done = session.all_of(line) and done
            if session.ended:
                break
    if not done:
        raise typer.Exit(1)


def steps(text: str) -> list[tuple[str, int | None]]:
    """Letters with their numbers: "a 11 i" -> [("a", 11), ("i", None)]; ApiError when it is something else."""
    if not re.fullmatch(r"\s*([^\s\d]\s*(\d+\s*)?)*", text):
        raise ApiError('keys: must be letters, with a number behind those that want one: "a 11 i o"')
    return [(letter, int(number) if number else None) for letter, number in re.findall(r"([^\s\d])\s*(\d*)", text)]


class Session:
    """`slave`: the one chosen; `ended`: the letter x was done."""

    def __init__(self, api: Api, node: str, timeout_s: int, as_json: bool) -> None:
        self._api, self._node, self._timeout_s, self._as_json = api, node, timeout_s, as_json
        self.slave: int | None = None
        self.ended = False

    def all_of(self, text: str) -> bool:
        """Do what `text` says, one letter after the other. True when none was refused."""
        done = True
        for letter, value in steps(text):
            done = self.one(letter, value) and done
            if self.ended:
                break
        return done

    def one(self, letter: str, value: int | None = None) -> bool:
        """Do one letter and print what it says. False when it was refused, or not answered in time."""
        args = {"letter": letter, "slave": self.slave, "value": value}
        args = {name: given for name, given in args.items() if given is not None}
        row = self._api.command(self._node, "rig", args, self._timeout_s)
        done: bool = row["status"] == "done"
        if letter == "a":
            # After a wrong address nothing is done to the slave chosen before.
            self.slave = value if done else None
        self.ended = self.ended or (done and letter == "x")
        if self._as_json:
            print(json.dumps(row), flush=True)
        elif done:
            print("\n".join(row["result"]["lines"]), flush=True)
        else:
            print(problem(row), file=sys.stderr, flush=True)
        return done


def problem(row: dict[str, Any]) -> str:
    """Why a command was not done, for people."""
    given: dict[str, Any] = row["result"] or {}
    if str(row["code"]).startswith("unknown"):
        return f"{row['node']} has no rig"
    if "problem" not in given:
        return f"{row['node']}: {row['status']} {row['code'] or ''}".rstrip()
    return f"{given['field']}: {given['problem']}" if "field" in given else str(given["problem"])


def converse(session: Session) -> bool:
    """Single keys, until x, Escape or Ctrl-D. True."""
    with Terminal() as terminal:
        if not session.one("o"):
            return False
        print("?: the letters   Esc: leave")
        while not session.ended:
            print("rig> " if session.slave is None else f"rig {session.slave}> ", end="", flush=True)
            key = terminal.key().lower()
            if key in ("", ESCAPE, "\x04"):
                print("left the menu")
                break
            print(key if key.isprintable() else "")
            if key.isprintable() and key != " ":
                _key(session, terminal, key)
    return True


def _key(session: Session, terminal: Terminal, key: str) -> None:
    if key in NUMBERS:
        value = terminal.number(NUMBERS[key])
        if value is not None:
            session.one(key, value)
    elif key == "x":
        print("mining ends; sure? y: ", end="", flush=True)
        sure = terminal.key()
        print(sure if sure.isprintable() else "")
        if sure.lower() == "y":
            session.one("x")
    elif key == "l":
        while session.one("o") and not terminal.key(LOOP_S):
            print()
    else:
        session.one(key)
