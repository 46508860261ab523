"""The older sketches: what each is called, and what is compiled into it.

A board's type and the firmware it runs are two things: the older server took the one for the other, and gave
boards the wrong firmware. Which board it is decides the chip, and so what can run on it at all; the firmware
may be any.
"""

from __future__ import annotations

import msgspec

SYSTEM = PROFILE = "personalcms"
S3_CHIP, PLAIN_CHIP = "esp32s3", "esp32"


class Variant(msgspec.Struct, frozen=True):
    """One sketch. `claimed`: its compiled id, without the number at its end. `keeps`: the name under which it keeps
    WiFi and server. `sleeps`: it may be silent for a day and be well; then it asks for updates only when its button
    is pressed.
    """

    name: str
    claimed: str
    chip: str
    keeps: str
    sleeps: bool = False


VARIANTS = (
    Variant("ESP32_OTA_Base", "ESP32_OTA_BASE_", PLAIN_CHIP, "esp32ota"),
    Variant("ESP32_LED_Blink", "ESP32_OTA_LED_", PLAIN_CHIP, "esp32ota"),
    Variant("ESP32_PersonalCMS", "ESP32_DEV1_", PLAIN_CHIP, "esp32ota", sleeps=True),
    Variant("S3", "ESP32_S3_N8R8_", S3_CHIP, "personalcms_s3", sleeps=True),
)
BY_NAME = {variant.name: variant for variant in VARIANTS}


def type_of(claimed: str, said: str = "") -> str:
    """The firmware a board runs: what it says, else what its id is compiled into; '' where nothing tells."""
    if said:
        return said
    return next((one.name for one in VARIANTS if claimed.startswith(one.claimed)), "")


def chip_of(claimed: str, firmware: str, board: str) -> str:
    """The chip: the S3's are known by their id, their firmware or their board; all others are plain ESP32."""
    s3 = firmware == "S3" or "_S3_" in f"{claimed}_" or "S3" in board.upper()
    return S3_CHIP if s3 else PLAIN_CHIP


def sleeps(firmware: str) -> bool:
    """Whether a board with this firmware may be silent for a day and be well."""
    variant = BY_NAME.get(firmware)
    return variant is not None and variant.sleeps


def warning(running: str, target: str) -> str:
    """What is lost when a board with one firmware gets another; '' for nothing that is known."""
    before, after = BY_NAME.get(running), BY_NAME.get(target)
    if before is None or after is None or before.keeps == after.keeps:
        return ""
    return (
        f"{running} has WiFi and server kept as {before.keeps!r}, {target} as {after.keeps!r}. So the board will"
        " know neither: it opens its access point, and has to be set up there by hand."
    )
