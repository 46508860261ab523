"""Pictures that look different whichever way they are turned, mirrored or inverted."""

from __future__ import annotations

from PIL import Image, ImageDraw


def corner(size: tuple[int, int], mode: str = "1") -> Image.Image:
    """White, with a dark corner upper left, a line below it and a dot of one pixel lower right."""
    image = Image.new(mode, size, "white" if mode == "RGB" else 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] // 4, size[1] // 3), fill=0)
    draw.line((0, size[1] // 2, size[0] // 2, size[1] // 2), fill=0)
    image.putpixel((size[0] - 2, size[1] - 1), (0, 0, 0) if mode == "RGB" else 0)
    return image


def colours(size: tuple[int, int]) -> Image.Image:
    """All shades of three colours, each in a direction of its own, with the corner of `corner` over them."""
    ramp = Image.linear_gradient("L").resize(size)
    side = Image.linear_gradient("L").rotate(90).resize(size)
    image = Image.merge("RGB", (ramp, side, ramp.point(lambda shade: 255 - shade)))
    image.paste(0, (0, 0, size[0] // 4, size[1] // 3))
    return image
