"""OpenAPI 3.1, generated from the list of endpoints and their models: what is served is what is described."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from aos.errors import CODES
from aos.wire.results.documents import envelope
from aos_server.http.endpoint import Endpoint
from aos_server.http.models.base import Problem
from aos_server.http.problems import PROBLEM_TYPE

__all__ = ["document"]

_REF = "#/components/schemas/{model}"
_INFO = "Forecast an agent's plan, ask what it may do, keep what it did. Errors are problems (RFC 9457)."


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document."""
    refs, definitions = models_json_schema(_models(endpoints), ref_template=_REF)
    schemas: dict[Any, Any] = {model: ref for (model, _), ref in refs.items()}
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aos",
            "version": envelope("")["aos_version"],
            "description": _INFO,
            "license": {"name": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-AOS-Key"},
            },
        },
    }


def _models(endpoints: Iterable[Endpoint]) -> list[tuple[type[BaseModel], Any]]:
    taken = [model for e in endpoints for model in (e.body, e.query) if model]
    given = [model for e in endpoints for model in (e.gives, Problem) if model]
    return [
        *((model, "validation") for model in dict.fromkeys(taken)),
        *((model, "serialization") for model in dict.fromkeys(given)),
    ]


def _operation(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint, schemas),
        "security": [{"bearer": []}, {"key": []}] if endpoint.act else [],
    }
    if endpoint.body:
        content = {"application/json": {"schema": schemas[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.act not in ("create", "decide", "operate") or endpoint.method == "GET":
        return []
    if (
        endpoint.of_server
    ):  # no transaction holds such a change; docs/adr/0032 says what keeps it from being done twice
        return []
    schema = {"type": "string", "pattern": "^[!-~]{1,255}$"}
    told = "The same request with the same key has one effect and one answer, for 24 hours"
    return [
        {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema, "description": told}
    ]


def _responses(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    schema = schemas[endpoint.gives] if endpoint.gives else {"type": "string"}
    content = {endpoint.media_type: {"schema": schema}}
    done = [endpoint.status, *([endpoint.again] if endpoint.again else [])]
    responses = {str(status): {"description": endpoint.summary, "content": content} for status in done}
    problem = {"content": {PROBLEM_TYPE: {"schema": schemas[Problem]}}}
    for status, codes in sorted(_problems(endpoint).items()):
        responses[str(status)] = {"description": ", ".join(codes), **problem}
    return {**responses, "default": {"description": "any other error", **problem}}


def _problems(endpoint: Endpoint) -> dict[int, list[str]]:
    """The codes an endpoint can answer, by HTTP status."""
    by_status: dict[int, list[str]] = {}
    for code in endpoint.problems:
        by_status.setdefault(CODES[code].status, []).append(code)
    return by_status
