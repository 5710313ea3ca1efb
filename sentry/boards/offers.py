"""What a lease and a call ask for, against what there is; Refused says what is allowed."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sentry.boards.core import KINDS, Lease, State
from sentry.boards.faults import Refused, of_anybody
from sentry.boards.settings import BoardSettings

if TYPE_CHECKING:
    from sentry.boards.board import Board


def offered(settings: BoardSettings) -> list[str]:
    """What can be reserved: the states whose firmware is there."""
    return sorted(kind for kind, state in KINDS.items() if not _missing(settings, state.firmware))


def not_offered(settings: BoardSettings) -> list[str]:
    """Why not, of each that cannot be reserved."""
    missing = ((kind, _missing(settings, state.firmware)) for kind, state in sorted(KINDS.items()))
    return [f"state {kind} is not offered: {why}" for kind, why in missing if why]


def _missing(settings: BoardSettings, firmware: str) -> str:
    path, variable = settings.file_of(firmware), f"FARMHAND_BOARD_{firmware.upper()}"
    if path is None:
        return f"{variable} is not set"
    return "" if path.is_file() else f"{variable}: {path} is no file"


def asked_for(board: "Board", lease: Lease) -> State:
    """The state that the lease names, made with its args."""
    if lease.kind not in offered(board.settings):
        allowed = ", ".join(offered(board.settings)) or "none"
        raise Refused("unknown-kind", f"kind: {lease.kind} is not offered here; allowed: {allowed}")
    kind = KINDS[lease.kind]
    if wrong := sorted(set(lease.args) - set(kind.parameters)):
        allowed = ", ".join(kind.parameters) or "none"
        raise Refused("bad-arguments", f"args.{wrong[0]}: unknown argument of {lease.kind}; allowed: {allowed}")
    try:
        with of_anybody():
            return kind(board, **lease.args)
    except Exception as error:  # a state of anybody's, with arguments of anybody's
        raise Refused("bad-arguments", f"args: {lease.kind} cannot be made with them: {error}") from None


def method_of(
    board: "Board", lease: str, method: str, args: Mapping[str, Any], files: Mapping[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A method of the board's state, and what to call it with."""
    if board.lease is None or board.lease.id != lease:
        raise Refused("not-leased", f"{board.serial} is not of the lease {lease}")
    if board.shown != "leased":
        raise Refused("not-usable", f"{board.serial} is {board.shown}, and takes no calls")
    known = board.state.methods.get(method)
    if known is None:
        allowed = ", ".join(sorted(board.state.methods)) or "none"
        raise Refused("unknown-method", f"{board.state.kind} has no method {method}; allowed: {allowed}")
    return getattr(board.state, known.attribute), known.arguments(args, files)
