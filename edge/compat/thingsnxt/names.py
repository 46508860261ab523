"""Which device an older app means: it knows all by 24 hex digits, and sees its owner's alone."""

from __future__ import annotations

from hashlib import blake2b

from edge.access.model import hash_secret
from edge.compat.thingsnxt.door import absent
from edge.devices.model import Device, DeviceState
from edge.devices.registry import Registry

SYSTEM = "thingsnxt"  # the older system's name, also of its profile and of the ids its devices claim
HIDDEN = "hidden-"  # instead of a token, which nobody can read again, a list shows this and the id
ID_BYTES = 12


class Names:
    """Finds devices by the older platform's ids."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def id_of(self, device: Device) -> str:
        """The id that an older app knows a device by."""
        for system, alias in device.aliases:
            if system == SYSTEM:
                return alias
        return blake2b(device.id.encode(), digest_size=ID_BYTES).hexdigest()  # ours: always the same for it

    def id_of_known(self, device_id: str) -> str:
        """The same by the hub's id, forgotten devices too; '' for ''."""
        return self.id_of(self._registry.known(device_id)) if device_id else ""

    def of_owner(self, user_id: str) -> list[Device]:
        """An account's devices."""
        return [device for device in self._registry.all() if device.owner == user_id]

    def owned(self, user_id: str, claimed: str) -> Device:
        """The account's device of that id. Raises NotFound, for another's as for none."""
        for device in self.of_owner(user_id):
            if self.id_of(device) == claimed:
                return device
        raise absent("Device")

    def owner_of(self, device_id: str) -> str:
        """Whose a device is, '' for nobody's."""
        device = self._registry.known(device_id)
        return "" if device.state is DeviceState.FORGOTTEN else device.owner


def claimed_id(token: str) -> str:
    """The id of a device of which nothing but its token is known; the token does not follow from it."""
    return hash_secret(token).hex()[: 2 * ID_BYTES]
