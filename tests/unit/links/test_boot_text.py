"""What a board says before our protocols begin."""

from __future__ import annotations

import pytest

from edge.links.boot_text import DownloadMode, Rebooted, check_boot, excerpt, is_text
from edge.sim.nic_display import BANNER, CHIP_MODEL, DOWNLOAD_BANNER


@pytest.mark.parametrize("heard", [DOWNLOAD_BANNER, CHIP_MODEL, b"boot:0x0 (DOWNLOAD(USB/UART0))"])
def test_download_mode(heard):
    with pytest.raises(DownloadMode) as caught:
        check_boot(b"\xff\x00noise" + heard)
    assert "Release BOOT" in caught.value.advice


@pytest.mark.parametrize("heard", [BANNER, b"rst:0xc (SW_CPU_RESET)", b"ESP-ROM:esp32s3-20210327"])
def test_a_restart(heard):
    with pytest.raises(Rebooted):
        check_boot(heard)


@pytest.mark.parametrize("heard", [b"", b"start\r\nexit\r\n", b"first: 1", b"reboot: 3"])
def test_anything_else_is_neither(heard):
    check_boot(heard)


@pytest.mark.parametrize(
    ("heard", "text"),
    [(b"ERROR\r\n", True), (b"$GPGGA,1\n", True), (b"\xf3\x00\x9c\x80ab", False), (b"ok", False), (BANNER, False)],
)
def test_whether_somebody_speaks_in_clear(heard, text):
    assert is_text(heard) is text


def test_an_excerpt_is_safe_to_print():
    assert excerpt(b"\x1b[31mred\x07" + b"x" * 100).startswith(".[31mred.xxx")
    assert len(excerpt(b"x" * 100)) == 40
