"""Whatever is rendered reads back as what was asked, on every panel."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.content.render import PANELS, Panel, PanelFormat, panel_named, read_qr, render_qr
from edge.content.render.encode import decoded
from edge.content.render.screen import verify
from edge.errors import BadPicture, NotFound

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300)
DENSE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=300, max_size=1600)
PAYMENT = [PANELS[name] for name in ("tft-320x480", "nic-320x480", "nic-client")]
EACH_FORMAT = list({panel.format: panel for panel in reversed(PANELS.values())}.values())
LYING = Panel(name="lying", width=480, height=320, format=PanelFormat.ZLIB_1BPP, rotation=90)


@pytest.mark.parametrize("panel", [*PANELS.values(), LYING], ids=lambda panel: panel.name)
def test_payloads_of_the_field(panel, payload):
    made = render_qr(payload, panel, "Outpost Cafe\n₹ 125.00")
    assert read_qr(decoded(made.data, panel)) == payload
    assert (made.width, made.height) == panel.native_size
    assert made.content_hash == hashlib.sha256(made.data).hexdigest()
    assert made.module_px >= 4


@pytest.mark.parametrize("panel", EACH_FORMAT, ids=lambda panel: panel.name)
@given(text=TEXT)
@settings(max_examples=25, deadline=None)
def test_any_text_reads_back(panel, text):
    assert read_qr(decoded(render_qr(text, panel).data, panel)) == text


@pytest.mark.parametrize("panel", [one for one in EACH_FORMAT if one.height >= 480], ids=lambda panel: panel.name)
@given(text=DENSE)
@settings(max_examples=4, deadline=None)
def test_up_to_what_the_panel_holds(panel, text):
    assert read_qr(decoded(render_qr(text, panel).data, panel)) == text


def test_any_caption_leaves_the_code_readable(emv):
    for caption in ("", "😀", "x" * 5000, "\n\n\n", "\ud800", "a\u0300" * 50):
        render_qr(emv, PANELS["tft-320x480"], caption)


def test_same_content_same_hash(emv):
    panel = PANELS["nic-320x480"]
    assert render_qr(emv, panel).content_hash == render_qr(emv, panel).content_hash


def test_what_does_not_read_back_never_leaves(emv):
    panel = PANELS["tft-320x480"]
    with pytest.raises(BadPicture, match="does not read back"):
        verify(render_qr("another", panel).data, panel, emv)


def test_too_much_for_the_panel():
    with pytest.raises(BadPicture, match="too fine"):
        render_qr("x" * 2000, PANELS["tft-320x480"])


def test_an_unknown_panel_names_the_known():
    with pytest.raises(NotFound) as caught:
        panel_named("crt")
    assert "tft-320x480" in caught.value.advice


# Bytes without and with a caption, as docs/reference/pictures.md states them.
TYPICAL_BYTES = {
    "emv-tft-320x480": (896, 1426),
    "emv-nic-320x480": (3395, 4320),
    "emv-nic-client": (1083, 1715),
    "upi-tft-320x480": (640, 1185),
    "upi-nic-320x480": (2623, 3551),
    "upi-nic-client": (882, 1510),
    "url-tft-320x480": (531, 1057),
    "url-nic-320x480": (1972, 2860),
    "url-nic-client": (692, 1310),
}


@pytest.mark.parametrize("panel", PAYMENT, ids=lambda panel: panel.name)
def test_typical_bytes(panel, payload, request):
    name = request.node.callspec.id
    captions = ("", "Outpost Cafe\n₹ 125.00")
    made = [len(render_qr(payload, panel, caption).data) for caption in captions]
    print(f"\n{name}: {made[0]} bytes, with a caption {made[1]}")
    assert all(size <= 1.1 * stated for size, stated in zip(made, TYPICAL_BYTES[name], strict=True))
