"""What a state of a board is. One file of states/ holds one; people add theirs from packages of their own, through the
entry point group `farmhand.board_states`.

    @reservable("blink", "times")
    class Blink(State):
        firmware = "blink"                  # FARMHAND_BOARD_BLINK names the file

        def __init__(self, board, times=3):
            super().__init__(board)
            self.times = times

        async def enter(self):              # once it returns the lease's client is told `initialized`
            self.tty = self.board.open()

        @register("play", "pause_ms", "files")
        async def play(self, pause_ms, files):
            await self.tty.write(files["score"].read())
            self.tell("played", pause_ms=pause_ms)

        async def leave(self):
            self.tty.close()
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from schema.boards import FARM_EVENTS
from schema.message import Invalid, is_id
from sentry.boards.faults import Refused
from sentry.boards.threads import given_up
from sentry.boards.usb import Device

if TYPE_CHECKING:
    from sentry.boards.board import Board


@dataclass(frozen=True, slots=True)
class Lease:
    """A board is `lease`'s, to be in the state that `kind` names, made with `args`."""

    id: str
    kind: str
    args: Mapping[str, Any]


class State:
    """What a board does at a time. ``shown``: in reports; ``firmware``: what a reservable one runs on; ``may_vanish``:
    that the board is not there for a while is a part of it; ``kind``: as it is reserved, "" of one that cannot be."""

    shown: ClassVar[str] = "leased"
    firmware: ClassVar[str] = ""
    may_vanish: bool = False
    kind: ClassVar[str] = ""
    parameters: ClassVar[tuple[str, ...]] = ()
    methods: ClassVar[Mapping[str, "Method"]] = {}

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.lease = board.lease
        self.entered = False

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        found = {each.name: each for each in map(_method_of, vars(cls).values()) if each}
        cls.methods = {**cls.methods, **found}

    async def enter(self) -> "State | None":
        """Do what the state is for; the state that follows, or None to stay. BoardFailed: the board is broken. It is
        cancelled when the board goes on to something else."""
        return None

    async def on_add(self, device: Device) -> None:
        """The board is there (again), or has another tty or disk than before."""

    async def on_remove(self) -> None:
        """The board is not there any more."""

    async def leave(self) -> None:
        """Let go of what `enter` took; the work begun is cancelled already. The state may be entered again."""

    async def lost(self, problem: str) -> None:
        """The board broke or was unplugged: tell the client what it now waits for in vain."""

    def greeting(self) -> Mapping[str, Any]:
        """What is told with `initialized`."""
        return {}

    async def reboot(self) -> None:
        """Somebody wants the board started anew, with what the client waits for kept."""
        self.board.restart()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Work beside the hooks and methods; it ends with the state, and a BoardFailed of it is the state's."""
        self.board.begin(work)

    def tell(self, event: str, **contents: Any) -> None:
        """An event for the client of the lease; it arrives surely, and once. From any thread. ValueError: its name is
        taken."""
        if event in FARM_EVENTS:
            raise ValueError(f"event {event}: the farm's own; a state tells others: not {', '.join(FARM_EVENTS)}")
        if self.lease and not given_up():
            self.board.voice.event(self.board.serial, event, contents, self.lease.id)

    @staticmethod
    def register(name: str, *parameters: str) -> Callable[["Work"], "Work"]:
        """As the function of that name."""
        return register(name, *parameters)


AbstractState = State
"""As those know it who come from iCEFARM."""


@dataclass(frozen=True, slots=True)
class Method:
    """What clients call ``name`` is ``attribute`` of a state; ``parameters``: by the words that clients use; `files`
    among these: the files of the call by name."""

    name: str
    attribute: str
    parameters: Mapping[str, str]
    needed: frozenset[str]

    def arguments(self, args: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
        """What to call it with; Refused names the argument that is wrong or missing."""
        known = [name for name in self.parameters if name != "files"]
        for name in args:
            if name not in known:
                allowed = ", ".join(known) or "none"
                raise Refused("bad-arguments", f"args.{name}: unknown argument of {self.name}; allowed: {allowed}")
        for name in known:
            if name in self.needed and name not in args:
                raise Refused("bad-arguments", f"args.{name}: missing for {self.name}")
        if files and "files" not in self.parameters:
            raise Refused("bad-arguments", f"files: {self.name} takes none")
        given = {**args, **({"files": dict(files)} if "files" in self.parameters else {})}
        return {self.parameters[word]: value for word, value in given.items()}


KINDS: dict[str, type[State]] = {}
Kind = TypeVar("Kind", bound=type[State])
Work = TypeVar("Work", bound=Callable[..., Any])


def reservable(kind: str, *parameters: str) -> Callable[[Kind], Kind]:
    """Let leases ask for this state as ``kind``; their args are given to its constructor under these names. One that
    names no firmware runs on the default one."""
    _must_be_id("kind", kind)

    def decorate(state: Kind) -> Kind:
        state.kind, state.parameters, state.firmware = kind, parameters, state.firmware or "default"
        KINDS[kind] = state
        return state

    return decorate


def register(name: str, *parameters: str) -> Callable[[Work], Work]:
    """Let clients call this method as ``name``, with these arguments: the names of its parameters, or, when one is
    none, other words for them in their order. ValueError, at the import, when it could never be called so."""
    _must_be_id("method", name)

    def decorate(work: Work) -> Work:
        signature = inspect.signature(work).parameters
        named = _named(f"method {name}", signature, parameters)
        needed = frozenset(word for word, of in named.items() if signature[of].default is inspect.Parameter.empty)
        vars(work)["farmhand"] = Method(name, work.__name__, named, needed)
        return work

    return decorate


def _must_be_id(what: str, name: str) -> None:
    try:
        is_id(what, name)
    except Invalid as error:
        raise ValueError(f"{what} {name!r}: {error.problem}, or nobody could ask for it") from None


def _named(what: str, signature: Mapping[str, inspect.Parameter], words: tuple[str, ...]) -> dict[str, str]:
    """The parameter of each word."""
    own = list(signature.items())[1:]
    by_name = {name: each for name, each in own if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    if len(set(words)) < len(words):
        raise ValueError(f"{what}: a word is there twice in {', '.join(words)}")
    named = {word: word for word in words}
    if not set(words) <= set(by_name):
        if len(words) > len(by_name):
            raise ValueError(f"{what}: {len(words)} words ({', '.join(words)}) for {len(by_name)} parameters")
        named = dict(zip(words, by_name, strict=False))
    given = set(named.values())
    for name, each in by_name.items():
        if name not in given and each.default is each.empty:
            raise ValueError(f"{what}: no word for its parameter {name}")
    return named


def _method_of(attribute: Any) -> Method | None:
    found = getattr(attribute, "farmhand", None)
    return found if isinstance(found, Method) else None
