"""Which variant a stand-in is. A display has its own way to be made: ports/unix.py."""


def made(variant: str, port, agent):
    """The device, ready to run. Only the variant that is needed takes memory."""
    if variant == "eink":
        from ports.unix_paper import PngPaper
        from variants.eink.app import Eink

        return Eink(port, PngPaper(port.png), agent)
    return _kind(variant)(port, agent)


def _kind(variant: str) -> "type":
    if variant == "vending":
        from variants.vending.app import Vending

        return Vending
    if variant == "sensor":
        from variants.sensor.app import Sensor

        return Sensor
    if variant == "logger":
        from variants.logger.app import Logger

        return Logger
    if variant == "blink":
        from variants.blink.app import Blink

        return Blink
    from outpost.device import Device

    return Device
