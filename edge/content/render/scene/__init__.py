"""Layouts drawn: what one needs (`wanted`), filled with that (`settle`), and made into pixels (`draw`).

In two steps, because most of what panels ask for is what they show already: settling is quick and gives a key, and
only a key that was not drawn yet costs a drawing.
"""

from edge.content.render.scene.alone import picture_alone
from edge.content.render.scene.drawing import Drawn, Pictures, draw
from edge.content.render.scene.given import AssetSaid, AssetWanted, ChartWanted, Datum, Given, SourceSaid
from edge.content.render.scene.settle import settle
from edge.content.render.scene.settled import Scene
from edge.content.render.scene.wants import Wanted, wanted

__all__ = [
    "AssetSaid",
    "AssetWanted",
    "ChartWanted",
    "Datum",
    "Drawn",
    "Given",
    "Pictures",
    "Scene",
    "SourceSaid",
    "Wanted",
    "draw",
    "picture_alone",
    "settle",
    "wanted",
]
