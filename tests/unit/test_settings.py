"""Settings: what is given counts by its source, and whatever else is given is an error that says where."""

from __future__ import annotations

import contextlib
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import settings
from edge.errors import ConfigError
from edge.settings import known_keys, load
from edge.verbs.config import check

numbers = st.sampled_from(sorted(key for key, kind in known_keys().items() if kind is int))
names = st.text(alphabet=string.ascii_lowercase + "_.", min_size=1, max_size=20)


def variable(key: str) -> str:
    """How a setting is called in the environment."""
    return settings.ENV_PREFIX + key.replace(".", "__").upper()


def value_of(loaded: settings.Loaded, key: str) -> object:
    """A setting by its dotted key."""
    section, name = key.split(".")
    return getattr(getattr(loaded.settings, section), name)


@given(numbers, st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_flag_counts_before_the_environment(key: str, one: int, other: int) -> None:
    environ = {variable(key): str(one)}
    assert (value_of(load(None, environ), key), load(None, environ).origins[key]) == (one, variable(key))
    flagged = load(None, environ, {key: other})
    assert (value_of(flagged, key), flagged.origins[key]) == (other, "flag")
    assert value_of(load(None, environ, {key: None}), key) == one


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_environment_is_settings_or_an_error(name: str, value: str) -> None:
    key = settings.ENV_PREFIX + name
    with contextlib.suppress(ConfigError):
        load(None, {key: value})


@given(st.binary(max_size=200))
def test_any_file_is_settings_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    with contextlib.suppress(ConfigError):
        load(file, {})


@given(names, st.sampled_from(sorted(known_keys())))
def test_a_misspelt_setting_is_named_with_the_nearest_one(noise: str, key: str) -> None:
    wrong = key + "x"
    with pytest.raises(ConfigError) as told:
        load(None, {}, {wrong: "1"})
    assert repr(wrong) in told.value.detail
    assert "Did you mean" in told.value.detail


def test_the_file_counts_after_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("[limits]\nbody_s = 3\nqueue_per_device = 4\n")
    loaded = load(file, {"OUTPOST_LIMITS__BODY_S": "2.5"})
    assert (loaded.settings.limits.body_s, loaded.settings.limits.queue_per_device) == (2.5, 4)
    assert loaded.origins["limits.queue_per_device"] == str(file)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("log.level", "loud"),
        ("log.format", "xml"),
        ("serial.lines", "sideways"),
        ("content.fetch_allow", ("not-a-network",)),
        ("content.fetch_allow", ("10.0.0.1/8",)),
        ("content.qr_ttl_s", float("nan")),
        ("limits.body_s", float("inf")),
        ("limits.body_s", 0.0),
        ("limits.queue_per_device", 0),
        ("limits.authenticated_per_minute", -5),
        ("history.commands_days", 0),
        ("hub.listen", ("https://127.0.0.1:0",)),
        ("hub.listen", ("[::1",)),
        ("hub.listen", ("127.0.0.1:70000",)),
        ("site.timezone", "Mars/Olympus"),
        ("site.timezone", "../../etc/passwd"),
        ("serial.ports", ("/dev/ttyUSB0=nosuch",)),
    ],
)
def test_what_no_hub_could_start_with_is_found_by_the_check(key: str, value: object) -> None:
    with pytest.raises(ConfigError):
        check(load(None, {}, {key: value}).settings)


def test_the_defaults_pass_the_check() -> None:
    check(load(None, {}).settings)


@pytest.mark.parametrize("key", sorted(known_keys()))
def test_every_setting_is_reached_by_its_variable(key: str) -> None:
    kind = known_keys()[key]
    text, value = {
        str: ("x", "x"),
        int: ("7", 7),
        float: ("7.5", 7.5),
        bool: ("true", True),
        tuple[str, ...]: ("a, b", ("a", "b")),
    }[kind]
    loaded = load(None, {variable(key): text})
    assert (value_of(loaded, key), loaded.origins[key]) == (value, variable(key))
