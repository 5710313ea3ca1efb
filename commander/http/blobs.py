"""Files that nodes pull: taken in, listed, handed out, removed."""

import asyncio
from hashlib import sha256 as hashed
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from commander.effects import Refused, Row
from commander.fleet import blobs
from commander.http.access import Admin, Caller, Operator, Reader, Served
from commander.http.paging import Limit, Offset, Since, Until, do, json, page, within
from commander.service import Service

router = APIRouter(prefix="/api/v1")

Name = Annotated[str, Query(max_length=128, pattern=r"^[^\x00-\x1f]*$", description="what people shall see of it")]
RAW: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"format": "binary"}}}}
}


@router.post("/blobs", status_code=201, openapi_extra=RAW)
async def add(service: Served, caller: Admin, request: Request, name: Name = "") -> Response:
    """Keep the body as a file; 200 instead of 201 when it was here before."""
    most = int(service.settings.blob_max_mib * 1024 * 1024)
    return await keep(service, caller, request, name, most, f"{most} bytes (setting blob_max_mib)")


async def keep(service: Service, caller: Caller, request: Request, name: str, most: int, allowed: str) -> Response:
    """Keep the body of a request, at most so many bytes, as a file; `allowed` says so to people."""
    row, known = await store(service, await _body(request, most, allowed), name, caller.name)
    return json(row, 200 if known else 201)


async def store(service: Service, data: bytes, name: str, by: str) -> tuple[Row, bool]:
    """Keep a file: (its row, whether it was here before)."""
    sha256 = hashed(data).hexdigest()
    names = blobs.names_in(data)
    with service.blobs.arriving(sha256):
        known = sha256 in service.flow.farm["blob"]
        if not known:
            await asyncio.to_thread(service.blobs.write, sha256, data)
        row = await do(service, lambda farm, moment: blobs.add(farm, sha256, len(data), name, names, moment), by)
    return row, known


@router.get("/blobs")
async def all_blobs(
    service: Served, _: Reader, since: Since = None, until: Until = None, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """Files, newest first; `used`: when a node last asked for it, to the hour."""
    rows = sorted(list(service.flow.farm["blob"].values()), key=lambda row: -row["created"])
    return json(page(within(rows, "created", since, until), limit, offset))


@router.get("/blobs/{sha256}")
async def content(service: Served, _: Operator, sha256: str) -> Response:
    row = service.flow.farm["blob"].get(sha256)
    if row is None:
        raise Refused("sha256", f"there is no blob {sha256}", 404)
    headers = {"Content-Length": str(row["size"])}
    pieces = service.blobs.pieces(sha256, row["size"])
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


@router.delete("/blobs/{sha256}")
async def remove(service: Served, caller: Admin, sha256: str) -> Response:
    """Forget a file; 409 while a desired document needs it, by itself or by a manifest."""
    await do(service, lambda farm, moment: (None, blobs.remove(farm, sha256, moment)), caller.name)
    return json({"removed": sha256})


async def _body(request: Request, most: int, allowed: str) -> bytes:
    data = bytearray()
    try:
        async for piece in request.stream():
            data += piece
            if len(data) > most:
                raise Refused("body", f"must be at most {allowed}", 413)
    except ClientDisconnect:
        raise Refused("body", "broke off", 400) from None
    if not data:
        raise Refused("body", "must not be empty")
    return bytes(data)
