"""HTTP: the API, health, metrics and the pages as one FastAPI application."""

import gc
import pkgutil
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from commander import http
from commander.http import live
from commander.http.bounded import MIB, Bounded
from commander.http.errors import answer_errors
from commander.http.kept import KeptAnswers
from commander.http.paging import json, now_ms
from commander.service import Service
from schema.asyncapi import document_yaml


def create_app(service: Service) -> FastAPI:
    """The application of a commander."""
    app = FastAPI(title="farmhand", version="1", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    hub = live.Live(service.flow.farm)
    service.flow.live.append(hub.publish)
    app.state.service = service
    app.state.live = hub
    app.add_middleware(KeptAnswers)
    app.add_middleware(Bounded, most=int(service.settings.blob_max_mib * MIB) + MIB)
    for found in pkgutil.iter_modules(http.__path__):
        router = getattr(import_module(f"{http.__name__}.{found.name}"), "router", None)
        if router is not None:
            app.include_router(router)
    answer_errors(app)
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
    with icefarm_gateway(service):
        # What is there by now stays: looking through it again would stop every answer for tens of ms.
        gc.collect()
        gc.freeze()
        server.run()


@contextmanager
def icefarm_gateway(service: Service) -> Generator[None]:
    """Beside the API, when the setting says where."""
    if not service.settings.icefarm:
        yield
        return
    from commander.icefarm_edge import Gateway

    gateway = Gateway(service, service.settings.icefarm)
    gateway.start()
    try:
        yield
    finally:
        gateway.stop()


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
