"""Paths that several older systems claim: on this one's own port they are its, on any other port the others'."""

from __future__ import annotations

from aiohttp import web
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

PORT = 8000  # compiled into this system's boards and app


class OnOwnPort(web.RouteDef):
    """A route that answers on PORT alone; elsewhere the path is looked for among the routes that follow."""

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add it."""
        resource = _Resource(self.path)
        router.register_resource(resource)
        return [resource.add_route(self.method, self.handler)]


class _Resource(PlainResource):
    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        if port_of(request) != PORT:
            return None, set()
        return await super().resolve(request)


def port_of(request: web.Request) -> int | None:
    """The port the request came in by; None on the unix socket."""
    address = request.transport.get_extra_info("sockname") if request.transport else None
    return address[1] if isinstance(address, tuple) else None
