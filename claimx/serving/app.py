"""The web application: routes, their description, and answers to what goes wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from claimx import __version__
from claimx.serving.limits import RequestError
from claimx.serving.page import front_page
from claimx.serving.schemas import (
    REFERENCE,
    Health,
    Problem,
    Records,
    describe,
    request_schemas,
)
from claimx.serving.service import Call, Service

_PROBLEMS = {
    400: "The body is no JSON.",
    408: "The request did not arrive in time.",
    413: "Too large, or too many articles.",
    415: "Not sent as `application/json`.",
    422: "JSON, but no request.",
    429: "Too many requests wait already.",
    503: "The server is stopping.",
    504: "Not read in time.",
}


def create_app(service: Service) -> FastAPI:
    """Build the application around a service."""
    # No pages of FastAPI's own: they load scripts from elsewhere.
    app = FastAPI(title="claimx", version=__version__, docs_url=None, redoc_url=None)

    @app.post(
        "/extract",
        summary="Who said what, and which numbers they claim, in each article",
        description="One record for each article, in order. An article that cannot be read has "
        "an error record in its place and harms no other.",
        response_model=Records,
        response_description="The records.",
        responses={
            200: {"content": {"application/json": {"example": example("response")}}},
            **{status: {"model": Problem, "description": why} for status, why in _PROBLEMS.items()},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": REFERENCE.format(model="ExtractRequest")},
                        "example": example("request"),
                    }
                },
            }
        },
    )
    async def extract(request: Request) -> Response:
        call = Call(request.headers, _body(request), lambda: _gone(request))
        return Response(await service.answer(call), media_type="application/json")

    @app.get("/health", summary="Whether requests are taken", response_model=Health,
             responses={503: {"model": Health, "description": "They are not."}})  # fmt: skip
    async def health() -> Response:
        facts = service.health()
        return JSONResponse(facts, 200 if facts["ready"] else 503)

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        base = str(request.base_url)
        html, policy = front_page(app.openapi(), service.facts, service.limits, base)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.add_exception_handler(RequestError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_otherwise)
    app.add_exception_handler(Exception, _fault)
    return app


@cache
def example(name: str) -> Any:
    """Return the example of a request, or of its answer, as claimx-en gave it."""
    text = (files("claimx.serving") / "example.json").read_text(encoding="utf-8")
    return json.loads(text)[name]


def _described(app: FastAPI) -> dict[str, Any]:
    """Describe the application once; FastAPI does not know what requests look like."""
    if app.openapi_schema is None:
        described = get_openapi(
            title="claimx",
            version=__version__,
            summary="Attributed quotes and quantitative claims from English news",
            routes=app.routes,
        )
        schemas = described["components"]["schemas"]
        schemas |= request_schemas()
        describe(schemas)
        app.openapi_schema = described
    return app.openapi_schema


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for part in request.stream():
        yield part


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _problem(status: int, kind: str, message: str, headers: dict[str, str]) -> Response:
    # Not cut short: lone surrogates of a request have no UTF-8 form, only one in JSON.
    content = json.dumps({"error": {"kind": kind, "message": message}})
    return Response(content, status, headers, "application/json")


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return _problem(error.status, error.kind, error.message, wait)


async def _refuse_otherwise(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase.lower()
    message = (
        f"{request.method} {request.url.path[:100]}: {phrase}; "
        f"there are POST /extract, GET /health and GET / with their description"
    )
    return _problem(error.status_code, "no_such_route", message, dict(error.headers or {}))


async def _fault(_: Request, error: Exception) -> Response:
    return _problem(500, "internal", f"unexpected {type(error).__name__}, a fault of claimx", {})
