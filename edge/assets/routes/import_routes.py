"""POST /v1/assets/import: an older asset logger's history, in parts."""

from __future__ import annotations

from edge.assets.history.importing import Importing
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.asset_export import AssetExport
from edge.wire.assets import AssetImport


class ImportRoutes:
    """The route of the import."""

    def __init__(self, importing: Importing) -> None:
        self._importing = importing

    def all(self) -> list[Route]:
        """Every route."""
        what, body = "Take over an older asset logger's export, in parts", AssetExport
        return [
            Route("POST", "/v1/assets/import", self.take, what, Role.TECHNICIAN, body=body, returns=AssetImport)
        ]

    async def take(self, call: Call) -> Answer:
        """POST /v1/assets/import."""
        export: AssetExport = call.body
        return await self._importing.take(export, actor=call.actor)
