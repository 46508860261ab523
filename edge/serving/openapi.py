"""The OpenAPI 3.1 document, made from the routes and the very types the handlers use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from edge import __version__
from edge.serving.routing import Route
from edge.wire.views import Problem

_PARAMETER = re.compile(r"\{(\w+)\}")
Json = dict[str, Any]


def document(routes: Iterable[Route], title: str = "Outpost hub") -> Json:
    """The whole document."""
    routes = list(routes)
    types = {kind for route in routes for kind in (route.body, route.returns) if kind} | {Problem}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            # as JSON has it: a default may be a tuple, and a schema of an array wants an array
            "schemas": msgspec.json.decode(msgspec.json.encode(components)),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "responses": {**_answer(route), "default": _problem()},
    }
    parameters = [_path_parameter(name) for name in _PARAMETER.findall(route.path)]
    parameters += [_query_parameter(name) for name in (*(("limit", "cursor") if route.many else ()), *route.query)]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {
            "required": not route.bare,
            "content": {"application/json": {"schema": _ref(route.body)}},
        }
    if route.role is not None:
        operation["security"] = [{"key": []}]
        operation["x-outpost-role"] = route.role.label
        operation["x-outpost-app"] = route.app
    return operation


def _answer(route: Route) -> Json:
    if route.stream == "text/csv":
        rows = {"schema": {"type": "string"}}
        return {"200": {"description": "A table, its names in the first row.", "content": {route.stream: rows}}}
    if route.returns is None:
        return {"204" if route.method == "DELETE" else "200": {"description": "Done."}}
    schema = _ref(route.returns)
    if route.stream == "WebSocket":
        return {"101": {"description": "A WebSocket; each text message is one.", "x-outpost-message": schema}}
    if route.stream:
        return {"200": {"description": "One an event.", "content": {route.stream: {"schema": schema}}}}
    if route.many:
        schema = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {"items": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}},
        }
    status = "201" if route.created else "200"
    return {status: {"description": "Done.", "content": {"application/json": {"schema": schema}}}}


def _problem() -> Json:
    content = {"application/problem+json": {"schema": _ref(Problem)}}
    return {"description": "What went wrong, and what to do next.", "content": content}


def _ref(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(name: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}


def _operation_id(route: Route) -> str:
    words = [word for word in re.split(r"[^\w]+", route.path) if word and word != "v1"]
    return "_".join([route.method.lower(), *words])
