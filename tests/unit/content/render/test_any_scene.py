"""What holds for every layout and everything it is filled with."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.content.render.encode import encoded
from edge.content.render.scene import draw, settle, wanted
from tests.unit.content.render.any_scene import DAY_US, PANELS, givens, some_layouts
from tests.unit.content.render.scenes import NOW_US, pictures

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
ANY_TIME = st.just(NOW_US) | st.integers(-(2**62), 2**62)
EVERY_S = st.sampled_from([60, 900])


@given(layout=some_layouts, known=givens(ANY_TIME), panel=st.sampled_from(PANELS), every_s=EVERY_S)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_it_is_drawn_whatever_it_is(layout, known, panel, every_s) -> None:
    wanted(layout)
    scene = settle(layout, known, panel, every_s)
    drawn = draw(scene, panel, pictures)
    assert (drawn.image.size, drawn.image.mode) == (panel.size, panel.mode)
    assert encoded(drawn.image, panel).data
    assert settle(layout, known, panel, every_s).key == scene.key
    assert draw(scene, panel, pictures).image.tobytes() == drawn.image.tobytes()
    unforeseen = [note.text for note in drawn.notes if ": " in note.text and "Error" in note.text]
    assert not unforeseen


@given(
    layout=some_layouts,
    known=givens(st.integers(NOW_US - 400 * DAY_US, NOW_US + 400 * DAY_US)),
    panel=st.sampled_from(PANELS[:3]),
    every_s=EVERY_S,
    part=st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
def test_time_alone_changes_nothing_before_it_is_said_to(layout, known, panel, every_s, part) -> None:
    scene = settle(layout, known, panel, every_s)
    if scene.changes_us is None:
        later = [replace(known, now_us=known.now_us + by) for by in (1, 3_600_000_000, 90 * DAY_US)]
    else:
        assert scene.changes_us > known.now_us
        left = scene.changes_us - known.now_us
        later = [replace(known, now_us=known.now_us + by) for by in (int(left * part), left - 1)]
    assert {settle(layout, then, panel, every_s).key for then in later} <= {scene.key}
