"""Enrolment tokens and API keys. A secret is shown once, in the answer that makes it."""

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from commander.fleet import enrolment, orders, views
from commander.http.access import Admin, Reader, Served, key_hash
from commander.http.paging import Limit, Offset, Since, Until, do, json, now_ms, page, within
from commander.service import Service

router = APIRouter(prefix="/api/v1")
BROKER_S = 5.0


class TokenWish(BaseModel, extra="forbid"):
    domain: str
    kind: str
    name: str = ""
    ttl_s: int = 3600


class KeyWish(BaseModel, extra="forbid"):
    name: str
    role: str = "reader"


@router.get("/tokens")
async def tokens(
    service: Served, _: Reader, since: Since = None, until: Until = None, limit: Limit = 100, offset: Offset = 0
) -> Response:
    return json(page(within(views.tokens(service.flow.farm, now_ms()), "created", since, until), limit, offset))


@router.post("/tokens", status_code=201)
async def create(service: Served, caller: Admin, wish: TokenWish) -> Response:
    """A token for one new node, with the address of the broker it is for."""

    def work(farm: Any, moment: Any) -> Any:
        asked = {**wish.model_dump(), "fingerprint": service.fingerprint}
        text, row, effects = enrolment.create_token(farm, asked, moment)
        return (text, row), effects

    text, row = await do(service, work, caller.name)
    live = await known_to_broker(service, row["domain"], row["id"])
    domain = service.farmfile.domains[row["domain"]]
    url = f"{'mqtts' if domain.tls else 'mqtt'}://{domain.host}:{domain.port}"
    shown = {name: row[name] for name in ("id", "domain", "kind", "name", "expires")}
    return json({"token": text, "broker": url, "live": live, **shown}, 201)


async def known_to_broker(service: Service, domain: str, user: str) -> bool:
    """Whether the broker of the domain has the user by now; waits a few seconds, so that the token works at once."""
    key = (enrolment.STEWARD + domain, enrolment.document_of(user))
    farm = service.flow.farm
    for _ in range(int(BROKER_S / 0.05)):
        reported = farm["reported"].get(key)
        if reported and reported["status"] == "applied" and reported["rev"] >= farm["desired"][key]["rev"]:
            return True
        await asyncio.sleep(0.05)
    return False


@router.delete("/tokens/{token_id}")
async def revoke(service: Served, caller: Admin, token_id: str) -> Response:
    """Make an unused token worthless at once."""

    def work(farm: Any, moment: Any) -> Any:
        return None, enrolment.revoke_token(farm, token_id, moment)

    await do(service, work, caller.name)
    return json({"revoked": token_id})


@router.get("/keys")
async def keys(
    service: Served, _: Admin, since: Since = None, until: Until = None, limit: Limit = 100, offset: Offset = 0
) -> Response:
    rows = [{k: v for k, v in row.items() if k != "hash"} for row in list(service.flow.farm["api_key"].values())]
    return json(page(within(rows, "created", since, until), limit, offset))


@router.post("/keys", status_code=201)
async def create_key(service: Served, caller: Admin, wish: KeyWish) -> Response:
    key = "fk_" + secrets.token_urlsafe(32)
    row = await do(
        service,
        lambda farm, moment: orders.create_api_key(farm, wish.name, wish.role, key_hash(key), moment),
        caller.name,
    )
    return json({"key": key, "id": row["id"], "name": row["name"], "role": row["role"]}, 201)


@router.delete("/keys/{key_id}")
async def delete_key(service: Served, caller: Admin, key_id: str) -> Response:
    await do(service, lambda farm, moment: (None, orders.delete_api_key(farm, key_id, moment)), caller.name)
    return json({"deleted": key_id})
