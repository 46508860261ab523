"""Commands that show something: their arguments checked, their pictures drawn once."""

import base64

import pytest

from edge.content.codes import codes
from edge.content.codes.codes import CACHED_PICTURES, Content, caption
from edge.content.intake.fetch import Fetcher
from edge.content.intake.pictures import Pictures
from edge.content.render import PANELS, read_qr
from edge.content.render.encode import decoded
from edge.devices.model import Device, DeviceState
from edge.errors import BadInput, BadPicture, NotFound

DEVICE = Device(
    id="d1",
    name="desk",
    kind="display",
    profile="native",
    state=DeviceState.APPROVED,
    panel="tft-320x480",
    created_us=0,
)


@pytest.fixture
async def content():
    pictures = Pictures(Fetcher())
    yield Content(pictures, show_s=300.0)
    await pictures.close()


async def test_a_picture_is_kept_as_its_text(content, qr_png, emv):
    image = "data:image/png;base64," + base64.b64encode(qr_png).decode()
    assert await content.prepare_qr({"image": image, "amount": "125.00"}) == {"payload": emv, "amount": "125.00"}


async def test_texts_are_kept_as_they_are_and_empty_ones_left_out(content):
    args = {"payload": " UPI ", "caption": "", "amount": "₹ 1", "reference": "7"}
    assert await content.prepare_qr(args) == {"payload": " UPI ", "amount": "₹ 1", "reference": "7"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "either"),
        ({"payload": "x", "image": "y"}, "either"),
        ({"payload": "x", "colour": "red"}, "'colour'"),
        ({"payload": ""}, "not empty"),
        ({"payload": None}, "`payload` is text"),
        ({"image": 7}, "`image` is text"),
        ({"payload": "x", "caption": ["a"]}, "`caption` is text"),
        ({"payload": "x", "caption": "c" * 201}, "200 characters"),
        ({"payload": "\ud800"}, "Unicode"),
        ({"image": "http://a.example/\udfff"}, "Unicode"),
        ({"payload": "x", "amount": "\ud83d"}, "Unicode"),
        ({"payload": "x" * 2001}, "2000 bytes"),
        ({"payload": "é" * 1001}, "2000 bytes"),
        ({"image": "upi://pay?pa=a@b"}, "no picture"),
    ],
)
async def test_arguments_that_cannot_be_used(content, args, words):
    with pytest.raises(BadInput, match=words) as caught:
        await content.prepare_qr(args)
    assert caught.value.advice
    assert len(caught.value.detail) < 200


async def test_an_unknown_argument_is_quoted_short(content):
    with pytest.raises(BadInput) as caught:
        await content.prepare_qr({"payload": "x", "a" * 1000: "y"})
    assert len(caught.value.detail) < 200


def test_who_how_much_what_for_in_that_order():
    assert caption({"reference": "P-7", "amount": "₹ 1", "caption": "Asha", "payload": "x"}) == "Asha\n₹ 1\nP-7"
    assert caption({"reference": "P-7", "caption": ""}) == "P-7"


async def test_the_same_code_is_drawn_once(content, emv, monkeypatch):
    drawn = []
    draw = codes.render_qr
    monkeypatch.setattr(codes, "render_qr", lambda *asked: drawn.append(asked) or draw(*asked))
    first = await content.qr(emv, "tft-320x480", "")
    assert await content.qr(emv, "tft-320x480", "") is first
    assert (await content.qr(emv, "tft-320x480", "Asha")).content_hash != first.content_hash
    assert (await content.qr(emv, "nic-client", "")).content_hash != first.content_hash
    assert len(drawn) == 3


async def test_the_memory_of_drawings_is_bounded_and_forgets_the_oldest(content, monkeypatch):
    drawn = []
    draw = codes.render_qr
    monkeypatch.setattr(codes, "render_qr", lambda *asked: drawn.append(asked[0]) or draw(*asked))
    for number in range(CACHED_PICTURES):
        await content.qr(str(number), "tft-320x480", "")
    await content.qr("0", "tft-320x480", "")  # in use: no longer the oldest
    await content.qr("new", "tft-320x480", "")
    drawn.clear()
    await content.qr("0", "tft-320x480", "")
    await content.qr("1", "tft-320x480", "")
    assert drawn == ["1"]


async def test_too_much_for_the_panel_and_no_such_panel(content):
    with pytest.raises(BadPicture, match="too fine"):
        await content.qr("x" * 2000, "tft-320x480", "")
    with pytest.raises(NotFound):
        await content.qr("x", "crt", "")


async def test_a_stored_picture_is_fitted_at_once(content, qr_png, emv):
    args = {"image": base64.b64encode(qr_png).decode(), "slot": 3}
    prepared = await content.prepare_picture(args, DEVICE)
    assert prepared["slot"] == 3
    assert read_qr(decoded(base64.b64decode(prepared["blob"]), PANELS["tft-320x480"])) == emv


@pytest.mark.parametrize("slot", [None, 0, 100, -1, True, "3", 3.0])
async def test_slots(content, slot):
    with pytest.raises(BadInput, match="from 1 to 99"):
        await content.prepare_slot({"slot": slot}, DEVICE)
