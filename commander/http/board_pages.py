"""The page of FPGA boards."""

from fastapi import APIRouter, Request, Response

from commander.http.access import Served
from commander.http.pages import Guest, show_page, to_login

router = APIRouter(include_in_schema=False)


@router.get("/boards")
async def boards(request: Request, service: Served, caller: Guest) -> Response:
    return show_page(service, "boards.html", caller) if caller else to_login(request)
