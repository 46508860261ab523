"""Where code and caption stand on a panel."""

from edge.content.render.page import draw_qr, lay_out
from edge.content.render.panels import TFT_320X480, Panel, PanelFormat
from edge.content.render.qr import read_qr, symbol


def dark_box(image):
    return image.convert("L").point(lambda shade: 255 - shade).getbbox()


def test_letterboxed_with_a_whole_quiet_zone(payload):
    page = draw_qr(payload, TFT_320X480)
    left, top, right, bottom = dark_box(page.image)
    quiet = 4 * page.module_px
    assert page.image.size == (320, 480)
    assert right - left == bottom - top == len(symbol(payload).matrix) * page.module_px
    assert min(left, 320 - right, top, 480 - bottom) >= quiet
    assert abs(left - (320 - right)) <= 1
    assert abs(top - (480 - bottom)) <= 1


def test_a_caption_costs_no_module(emv):
    bare, named = draw_qr(emv, TFT_320X480), draw_qr(emv, TFT_320X480, "Outpost Cafe\n₹ 125.00")
    assert bare.module_px == named.module_px == 5
    assert read_qr(named.image) == emv
    assert dark_box(named.image)[3] > dark_box(bare.image)[3]


def test_no_room_beneath_no_caption(emv):
    square = Panel(name="square", width=320, height=320, format=PanelFormat.PNG)
    assert draw_qr(emv, square, "Outpost").image.tobytes() == draw_qr(emv, square).image.tobytes()


def test_on_a_grid_the_quiet_zone_stays(payload):
    for module_px in (4, 8):
        code = symbol(payload)
        if (len(code.matrix) + 8) * module_px > 320:
            continue
        left, top, right, _ = dark_box(lay_out(code, TFT_320X480, "", module_px, grid_px=8).image)
        assert left % 8 == top % 8 == 0
        assert min(left, 320 - right) >= 4 * module_px
