"""A picture that is scheduled without a layout: all of it, in the middle of the panel."""

from __future__ import annotations

from edge.wire.layouts import Box, Layout, PictureElement


def picture_alone(picture: str) -> Layout:
    """The layout that shows an uploaded picture, by its id, and nothing else."""
    return Layout(elements=(PictureElement(box=Box(0, 0, 100, 100), picture=picture, align="centre"),))
