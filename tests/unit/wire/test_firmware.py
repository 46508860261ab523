"""Manifests and signatures are read as tests/vectors/firmware.json has them, which devices are held to as well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.updates.signing.keys import PublicKey
from edge.updates.signing.signatures import signers
from edge.wire.firmware import (
    FILES_MAX,
    MANIFEST_MAX,
    BadManifest,
    artifact_id,
    key_id,
    may_become,
    read_manifest,
    read_signatures,
    write_manifest,
    write_signatures,
)
from tests.firmware_keys import VECTORS

GOOD = VECTORS["manifests"]


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", GOOD, ids=name)
def test_a_good_manifest_says_what_it_says(vector: dict[str, Any]) -> None:
    data = vector["text"].encode()
    read, means = read_manifest(data), vector["means"]
    assert artifact_id(data) == vector["id"]
    assert {field: getattr(read, field) for field in means if field != "files"} == {
        field: value for field, value in means.items() if field != "files"
    }
    assert [[file.path, file.size, file.sha256] for file in read.files] == means["files"]
    assert write_manifest(read) == data


@pytest.mark.parametrize("vector", VECTORS["bad_manifests"], ids=name)
def test_a_bad_manifest_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(BadManifest):
        read_manifest(vector["text"].encode())


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=name)
def test_signatures_hold_or_not(vector: dict[str, Any]) -> None:
    keys = {key["id"]: PublicKey(int(key["modulus"], 16)) for key in VECTORS["keys"]}
    trusted = [keys[one] for one in vector["trusted"]]
    signed = read_signatures(vector["signatures"].encode())
    assert [key.id for key in signers(vector["manifest"].encode(), signed, trusted)] == vector["signed_by"]
    assert write_signatures(signed) == vector["signatures"].encode()


@pytest.mark.parametrize("vector", VECTORS["bad_signatures"], ids=name)
def test_what_is_no_signature_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(BadManifest):
        read_signatures(vector["text"].encode())


def test_the_ids_of_keys() -> None:
    for key in VECTORS["keys"]:
        assert key_id(int(key["modulus"], 16)) == key["id"]


@pytest.mark.parametrize(("running", "target", "may"), VECTORS["may_become"])
def test_which_variant_may_become_which(running: str, target: str, may: bool) -> None:
    assert may_become(running, target) is may


@given(st.sampled_from([vector["text"].encode() for vector in GOOD]), st.data())
def test_one_text_says_one_thing(text: bytes, data: st.DataObject) -> None:
    """Whatever is changed in it, it is either refused or written back as it was read."""
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.binary(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    try:
        read = read_manifest(changed)
    except BadManifest:
        return
    assert write_manifest(read) == changed


def test_bounds() -> None:
    head = (
        GOOD[2]["text"]
        .partition("file ")[0]
        .replace("esp-image", "app")
        .replace("security 0\n", "security 0\nmicropython 1.22 6\n")
    )
    lines = [f"file 1 {'0' * 64} f{number:04}\n" for number in range(FILES_MAX + 1)]
    assert len(read_manifest((head + "".join(lines[:-1])).encode()).files) == FILES_MAX
    with pytest.raises(BadManifest, match="1 to 200 files"):
        read_manifest((head + "".join(lines)).encode())
    with pytest.raises(BadManifest, match="longer than"):
        read_manifest(b"x" * (MANIFEST_MAX + 1))
