"""The export of an older asset logger, as POST /v1/assets/import takes it: in parts, and the same again is fine.

No two of its versions write the same fields, so nothing is required here: what is not known is passed over, and
what cannot be used is told in the answer.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire.assets import ASSETS_MAX
from edge.wire.views import Json

EVENTS_AT_ONCE = 2_000
LOGGERS_AT_ONCE = 500
ONCE_MORE = "send this part once more"  # in what an answer says is left: then the same again takes more of it

Record = dict[str, Json]


class AssetExport(msgspec.Struct, frozen=True, kw_only=True):
    """POST /v1/assets/import: one part of it. Records of `loggers` have logger_id and logger_name, of `assets` id,
    name, pin_number, logger_id and short_stop_threshold (seconds), of `events` asset_id, event_type, state,
    timestamp, duration (seconds) and stop_reason. A later part may name assets of an earlier one."""

    loggers: Annotated[list[Record], msgspec.Meta(max_length=LOGGERS_AT_ONCE)] = msgspec.field(default_factory=list)
    assets: Annotated[list[Record], msgspec.Meta(max_length=ASSETS_MAX)] = msgspec.field(default_factory=list)
    events: Annotated[list[Record], msgspec.Meta(max_length=EVENTS_AT_ONCE)] = msgspec.field(default_factory=list)
