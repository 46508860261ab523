"""What an e-paper board has around it, on the ESP32: its sensors, its tag reader, and its sleep."""

from ports.esp32_radio import RadioPort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.room import Sensors  # noqa: F401  (for the types)
    from outpost.port import TagReader


class RoomPort(RadioPort):
    """The part of a board that has to do with the room it is in. Nothing of it takes memory on another board."""

    def __init__(self) -> None:
        super().__init__()
        self._room = None  # type: Sensors | None
        self._tags = None  # type: TagReader | None

    def tag_reader(self) -> "TagReader | None":
        return self._tags

    def deep_sleep(self, ms: int, utc_us: int) -> None:
        from ports.esp32_sleep import sleep

        room = self._room
        sleep(ms, utc_us, room.button if room else None, room.motion if room else None)

    def woken_by(self) -> str:
        from ports.esp32_sleep import woken_by

        return woken_by()

    def utc_us_kept(self) -> int:
        from ports.esp32_sleep import utc_us_kept

        return utc_us_kept()

    def wire_room(self, settings: "dict[str, object]") -> None:
        """Take the pins of what is around an e-paper board."""
        from drivers.room import Sensors
        from ports.esp32_panels import tag_reader

        self._room = Sensors(settings)
        self._tags = tag_reader(settings)
