"""The mining software that playbooks may name, and its releases."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from commander.http.access import Admin, Reader, Served
from commander.http.paging import Limit, Offset, do, json, page
from commander.mining import changes, software

router = APIRouter(prefix="/api/v1/mining")


class SoftwareWish(BaseModel, extra="forbid"):
    data: dict[str, Any]


class ReleaseWish(BaseModel, extra="forbid"):
    data: dict[str, Any] = Field(description="`url` or `path`, `sha256`, `archive`, `member`, `licence`")
    canary: str = Field(default="", description="a group that gets it first")


@router.get("/software")
async def software_list(service: Served, _: Reader, limit: Limit = 100, offset: Offset = 0) -> Response:
    """Each with a template of its arguments and its releases."""
    return json(page(software.catalog(service.flow.farm), limit, offset))


@router.get("/software/{name}")
async def one_software(service: Served, _: Reader, name: str) -> Response:
    return json(software.shown(service.flow.farm, name))


@router.put("/software/{name}")
async def save_software(service: Served, caller: Admin, name: str, wish: SoftwareWish) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        return changes.save_software(farm, name, wish.data, moment)

    return json(await do(service, work, caller.name))


@router.delete("/software/{name}")
async def remove_software(service: Served, caller: Admin, name: str) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        return changes.remove_software(farm, name, moment)

    return json(await do(service, work, caller.name))


@router.put("/software/{name}/releases/{release}/{platform}")
async def save_release(
    service: Served, caller: Admin, name: str, release: str, platform: str, wish: ReleaseWish
) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        return changes.save_release(farm, name, release, platform, wish.data, wish.canary, moment)

    return json(await do(service, work, caller.name))


@router.delete("/software/{name}/releases/{release}/{platform}")
async def remove_release(service: Served, caller: Admin, name: str, release: str, platform: str) -> Response:
    def work(farm: Any, moment: Any) -> Any:
        return changes.remove_release(farm, name, release, platform, moment)

    return json(await do(service, work, caller.name))
