"""What is refused, and what goes wrong, as answers: `{"error": {"field", "problem"}}`."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from commander.db_edge import DatabaseUnavailable
from commander.effects import Refused
from commander.http.paging import json


def answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(TimeoutError, _slow)
    app.add_exception_handler(DatabaseUnavailable, _unreadable)


async def _refused(_request: Request, error: Any) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    answer = json({"error": {"field": error.field, "problem": error.problem}}, error.status)
    answer.headers.update(headers)
    return answer


async def _invalid(_request: Request, error: Any) -> Response:
    first = error.errors()[0]
    # Of JSON that is none, the place is told: a number.
    levels = first["loc"][1:] if first["type"] != "json_invalid" else ()
    field = ".".join(str(level) for level in levels) or str(first["loc"][0])
    return json({"error": {"field": field, "problem": first["msg"]}}, 422)


async def _unknown(request: Request, error: Any) -> Response:
    if error.status_code == 413:
        answer = json({"error": {"field": "body", "problem": error.detail}}, 413)
        answer.headers["Connection"] = "close"  # else the rest is still read
        return answer
    return json(
        {"error": {"field": "path", "problem": f"{request.method} {request.url.path}: {error.detail}"}},
        error.status_code,
    )


async def _slow(_request: Request, _error: Any) -> Response:
    return json({"error": {"field": "commander", "problem": "not stored in time: see /readyz; ask again"}}, 503)


async def _unreadable(_request: Request, error: Any) -> Response:
    return json({"error": {"field": "database", "problem": error.user_message}}, 503)
