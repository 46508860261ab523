"""What a technician asks of a device on its page: forms, each given to the API once however often it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from markupsafe import Markup

from cloud.web.confirming import confirm
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import device_page, link, name_of
from edge.errors import BadInput, NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteCommand, SiteDevice, SiteSlot, SiteVended, SiteView
from edge.wire.kinds import KEY_CHARS, KINDS
from edge.wire.money import shown as money
from edge.wire.views import Json

ARGS: dict[str, Mapping[str, type[str] | type[int]]] = {
    "display_qr": {"payload": str, "caption": str, "amount": str, "reference": str},
    "store_picture": {"image": str, "slot": int},
    "erase_picture": {"slot": int},
}
OPTIONAL = frozenset({"caption", "amount", "reference"})
CONFIRMED = frozenset({"reboot"})  # a person is asked whether he means it
NUMBER_CHARS = 18
SLOTS_MAX = 100


class Asked(msgspec.Struct, frozen=True):
    """A form that was refused: which one, what stood in it, and why not."""

    form: str = ""
    fields: Mapping[str, str] = {}
    refused: OutpostError | None = None

    def said(self, form: str, field: str) -> str:
        """What stood in that field, if it is that form."""
        return self.fields.get(field, "") if self.form == form else ""


PageOf = Callable[[Visit, Asked], Awaitable[Shown]]


def device_in(visit: Visit) -> str:
    """The device that the address names."""
    return name_of(visit.param("device"))


def new_key() -> str:
    """What makes a form that is sent twice one command: made where the form is drawn."""
    return f"page-{secrets.token_urlsafe(16)}"


class DeviceActs:
    """The forms. `page`: the page to show again when one is refused."""

    def __init__(self, page: PageOf) -> None:
        self._page = page

    def all(self, here: str) -> list[PageRoute]:
        """Every route, `here` and below."""
        tech = Role.TECHNICIAN
        return [
            PageRoute("GET", here + "/commands/{kind}", self.ask_command, tech),
            PageRoute("POST", here + "/commands/{kind}", self.command, tech),
            PageRoute("GET", here + "/slots/{slot}/vend", self.ask_vend, tech),
            PageRoute("POST", here + "/slots/{slot}/vend", self.vend, tech),
            PageRoute("POST", here + "/twin", self.desire, tech),
            PageRoute("POST", here + "/agent", self.seat, tech),
            PageRoute("POST", here + "/agent/end", self.unseat, tech),
        ]

    async def ask_command(self, visit: Visit) -> Result:
        """Whether he means it."""
        return await self._ask_command(visit)

    async def command(self, visit: Visit) -> Result:
        """A command of the kind the address names."""
        form, kind = visit.form, visit.param("kind")
        try:
            body: dict[str, object] = {"kind": kind, "args": arguments(kind, form)}
            given: SiteCommand = await visit.act(
                "POST", "/v1/devices/{id}/commands", body, _site(visit), _key(form), id=device_in(visit)
            )
        except OutpostError as error:
            if kind in CONFIRMED:
                return await self._ask_command(visit, error)
            return await self._page(visit, Asked(kind, form, error))
        return _followed(visit, given)

    async def ask_vend(self, visit: Visit) -> Result:
        """Whether he means this machine, this slot, this item."""
        return await self._ask_vend(visit)

    async def vend(self, visit: Visit) -> Result:
        """One piece out of a slot."""
        device, slot = device_in(visit), visit.param("slot")
        try:
            given: SiteVended = await visit.act(
                "POST",
                "/v1/devices/{id}/slots/{slot}/vend",
                {},
                _site(visit),
                _key(visit.form),
                id=device,
                slot=slot,
            )
        except OutpostError as error:
            return await self._ask_vend(visit, error)
        return _followed(visit, given.command)

    async def desire(self, visit: Visit) -> Result:
        """One value that it shall have, or none any more."""
        form = visit.form
        try:
            key = form.get("key", "").strip()
            if not key:
                raise BadInput("Say which value it is.")
            value = None if form.get("away") else value_of(form.get("value", ""))
            await visit.act(
                "PATCH",
                "/v1/devices/{id}/twin",
                {"desired": {key: value}},
                _site(visit),
                "",
                id=device_in(visit),
            )
        except OutpostError as error:
            return await self._page(visit, Asked("twin", visit.form, error))
        return Went(_here(visit), said="twin_asked")

    async def seat(self, visit: Visit) -> Result:
        """Somebody sits at it."""
        body = {name: visit.form.get(name, "").strip() for name in ("agent", "name")}
        try:
            await visit.act("PUT", "/v1/devices/{id}/agent", body, _site(visit), "", id=device_in(visit))
        except OutpostError as error:
            return await self._page(visit, Asked("agent", visit.form, error))
        return Went(_here(visit), said="agent_seated")

    async def unseat(self, visit: Visit) -> Result:
        """Nobody sits at it any more."""
        try:
            await visit.act("DELETE", "/v1/devices/{id}/agent", {}, _site(visit), "", id=device_in(visit))
        except OutpostError as error:
            return await self._page(visit, Asked("agent", visit.form, error))
        return Went(_here(visit), said="agent_unseated")

    async def _ask_command(self, visit: Visit, refused: OutpostError | None = None) -> Result:
        kind, (site, device) = visit.param("kind"), await _seen(visit)
        if kind not in CONFIRMED:
            raise NotFound("There is nothing to confirm of that kind.", hint="Go back to the device.")
        words = visit.words
        return confirm(
            words(f"device_act.{kind}_title", device=device.name, site=site.name),
            [words(f"device_act.{kind}_means"), *_absent(visit, site, device, kind)],
            button=words(f"device_act.{kind}_once"),
            back=device_page(site.id, device.id),
            fields={"once": visit.form.get("once") or new_key()},
            refused=refused,
        )

    async def _ask_vend(self, visit: Visit, refused: OutpostError | None = None) -> Result:
        site, device = await _seen(visit)
        wanted = {"site": site.id, "limit": SLOTS_MAX}
        page = await visit.get("/v1/devices/{id}/slots", wanted, id=device.id)
        slot: SiteSlot | None = next((one for one in page.items if str(one.slot) == visit.param("slot")), None)
        if slot is None:
            raise refused or NotFound("Its hub has told of no such slot.", hint="Go back to the device.")
        words, item = visit.words, slot.item or str(slot.slot)
        says = [
            words("device_act.vend_what", item=item, slot=slot.slot, price=money(slot.price, slot.currency)),
            words("device_act.vend_where", device=device.name, id=device.id, site=site.name),
        ]
        if slot.count is not None:
            says.append(words("device_act.vend_count", count=slot.count))
        if not slot.available and slot.why:
            says.append(words("device_act.vend_why", why=slot.why))
        return confirm(
            words("device_act.vend_title", item=item, device=device.name),
            [*says, *_absent(visit, site, device, "vend")],
            button=words("device_act.vend_once"),
            back=device_page(site.id, device.id),
            fields={"once": visit.form.get("once") or new_key()},
            refused=refused,
        )


async def _seen(visit: Visit) -> tuple[SiteView, SiteDevice]:
    """The site and the device that the address names. Raises NotFound."""
    site: SiteView = await visit.get("/v1/sites/{site}", site=visit.param("site"))
    device: SiteDevice = await visit.get("/v1/devices/{id}", {"site": site.id}, id=device_in(visit))
    return site, device


def _absent(visit: Visit, site: SiteView, device: SiteDevice, kind: str) -> list[Markup]:
    """What becomes of it while nobody hears the site."""
    if not device.stale:
        return []
    return [visit.words("device_act.absent", site=site.name, age=visit.figures.age(KINDS[kind].ttl_s))]


def arguments(kind: str, form: Mapping[str, str]) -> dict[str, Json]:
    """A command's arguments out of its form: optional ones left empty are not given. Raises BadInput."""
    args: dict[str, Json] = {}
    for name, of in ARGS.get(kind, {}).items():
        said = form.get(name, "")
        if not said.strip():
            if name not in OPTIONAL:
                raise BadInput(f"{name} is missing.")
            continue
        if of is int and not (said.isascii() and said.isdecimal() and len(said) <= NUMBER_CHARS):
            raise BadInput(f"{name} is a number.")
        args[name] = int(said) if of is int else said
    return args


def value_of(text: str) -> Json:
    """What somebody typed as a value: `true`, `false`, a number, or text as it is."""
    plain = text.strip()
    if plain in ("true", "false"):
        return plain == "true"
    try:
        number = float(plain)
    except ValueError:
        return text
    if not (plain.isascii() and number - number == 0) or "_" in plain:
        return text
    whole = plain.lstrip("+-").isdecimal() and len(plain) <= NUMBER_CHARS
    return int(plain) if whole else number


def _key(form: Mapping[str, str]) -> str:
    """The form's own. Raises BadInput for a form without: it could be sent twice, and done twice."""
    key = form.get("once", "")
    if not 1 <= len(key) <= KEY_CHARS or not key.isprintable():
        raise BadInput("The form is not whole.", hint="Open the page again.")
    return key


def _site(visit: Visit) -> dict[str, str]:
    return {"site": visit.param("site")}


def _here(visit: Visit) -> str:
    return device_page(visit.param("site"), device_in(visit))


def _followed(visit: Visit, given: SiteCommand) -> Went:
    """To the page, which says what becomes of it."""
    return Went(link(device_page(given.site, given.device), did=given.id) + "#did")
