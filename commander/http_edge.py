"""HTTP: the API, health, metrics and the pages as one FastAPI application."""

from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from commander.db_edge import DatabaseUnavailable
from commander.effects import Refused
from commander.http import (
    blobs,
    documents,
    live,
    miners,
    mining,
    mining_pages,
    nodes,
    notifiers,
    pages,
    playbooks,
    records,
    rollouts,
    software,
    telemetry,
    templates,
    tokens,
)
from commander.http.kept import KeptAnswers
from commander.http.paging import json, now_ms
from commander.service import Service
from schema.asyncapi import document_yaml


def create_app(service: Service) -> FastAPI:
    """The application of a commander."""
    app = FastAPI(title="farmhand", version="1", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    hub = live.Live(service.flow.farm)
    service.flow.live = hub.publish
    app.state.service = service
    app.state.live = hub
    app.add_middleware(KeptAnswers)
    for module in (nodes, mining, miners, telemetry, documents, blobs, records, notifiers, tokens, live, pages):
        app.include_router(module.router)
    for module in (templates, software, playbooks, rollouts, mining_pages):
        app.include_router(module.router)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(TimeoutError, _slow)
    app.add_exception_handler(DatabaseUnavailable, _unreadable)
    asyncapi = document_yaml()

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        problems = _problems(service)
        return json({"ready": not problems, "problems": problems}, 503 if problems else 200)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        flow = service.flow
        text = flow.metrics.text(flow.farm, flow.inbox.qsize(), now_ms())
        return Response(text, media_type="text/plain; version=0.0.4")

    @app.get("/asyncapi.yaml", include_in_schema=False)
    async def asyncapi_yaml() -> Response:
        return Response(asyncapi, media_type="application/yaml")

    return app


def serve(service: Service, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        create_app(service), host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    service.on_end = lambda: setattr(server, "should_exit", True)
    server.run()


def _problems(service: Service) -> list[str]:
    found: list[str] = []
    if service.flow.failing:
        found.append(service.flow.failing)
    if not service.line_runs():
        found.append("line: stopped; see the log, and restart the commander")
    if service.lost_lease.is_set():
        found.append("lease: another commander leads")
    if not service.mqtt.leader.connected:
        found.append("broker: not connected")
    found += [f"broker: not listening to domain {s.domain}" for s in service.mqtt.sessions if not s.connected]
    return found


async def _refused(_request: Request, error: Any) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    answer = json({"error": {"field": error.field, "problem": error.problem}}, error.status)
    answer.headers.update(headers)
    return answer


async def _invalid(_request: Request, error: Any) -> Response:
    first = error.errors()[0]
    field = ".".join(str(level) for level in first["loc"][1:]) or str(first["loc"][0])
    return json({"error": {"field": field, "problem": first["msg"]}}, 422)


async def _unknown(request: Request, error: Any) -> Response:
    return json(
        {"error": {"field": "path", "problem": f"{request.method} {request.url.path}: {error.detail}"}},
        error.status_code,
    )


async def _slow(_request: Request, _error: Any) -> Response:
    return json({"error": {"field": "commander", "problem": "not stored in time: see /readyz; ask again"}}, 503)


async def _unreadable(_request: Request, error: Any) -> Response:
    return json({"error": {"field": "database", "problem": error.user_message}}, 503)
