"""What may stand in the bodies of boards' routes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from commander.boards import wishes

Short = Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]
MOST = 2**31


class Selector(BaseModel, extra="forbid", strict=True):
    type: Short | None = Field(default=None, examples=["pico2-ice"])
    tags: list[Short] = Field(default=[], max_length=32, description="all of them")
    health: Short | None = Field(default=None, description="good or shaky", examples=["good"])
    firmware: Short | None = Field(
        default=None, description="that their sentry has, by its name or as name@version", examples=["pulse_count"]
    )
    node: Short | None = None
    domain: Short | None = None


class BoardsWish(BaseModel, extra="forbid", strict=True):
    kind: str = Field(description="what the boards shall be", examples=["pulsecount"])
    args: dict[str, Any] = Field(default={}, description="for the state's constructor")
    count: int | None = Field(default=None, ge=1, le=MOST, description="1, unless serials are given")
    serials: list[Short] = Field(default=[], max_length=wishes.MOST_COUNT, description="just these boards")
    selector: Selector = Selector()


class ReserveWish(BoardsWish):
    id: str | None = Field(
        default=None,
        pattern="^l-[0-9a-f]{16}$",
        description="new, for the lease; asked again with it, nothing is booked twice",
    )
    name: Name = Field(default="", description="of the program that asks: extend-all and end-all can mean only its own")
    together: list[BoardsWish] = Field(
        default=[], max_length=wishes.MOST_GANG - 1, description="more leases that begin with it, or not at all"
    )
    length_s: int | None = Field(default=None, ge=1, le=MOST, description="one hour unless given")
    idle_s: int | None = Field(default=None, ge=1, le=MOST, description="end without use for so long; null: never")
    priority: int = Field(default=0, ge=0, le=MOST, description="above 0 needs an admin")
    wait: bool = Field(default=True, description="in the queue; false: now or not at all (409)")


class ExtendWish(BaseModel, extra="forbid", strict=True):
    length_s: int | None = Field(default=None, ge=1, le=MOST, description="from now; the lease's own unless given")


class ExtendOneWish(ExtendWish):
    unless_wanted: bool = Field(default=False, description="409 when somebody with fewer boards waits for one of them")


class AllWish(ExtendWish):
    user: Short | None = Field(default=None, description="somebody else's; needs an admin")
    name: Name | None = Field(default=None, description="only those of this program")


class EndWish(BaseModel, extra="forbid", strict=True):
    serials: list[Short] = Field(default=[], max_length=wishes.MOST_COUNT, description="only these boards")


class EndAllWish(BaseModel, extra="forbid", strict=True):
    user: Short | None = Field(default=None, description="somebody else's; needs an admin")
    name: Name | None = Field(default=None, description="only those of this program")


class DoWish(BaseModel, extra="forbid", strict=True):
    do: Literal["reboot", "delete", "power-cycle"]
