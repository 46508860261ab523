"""A payment display that has something scheduled: a QR goes before it, and it comes back by itself."""

from __future__ import annotations

from pathlib import Path

from edge.sim.uart import UartLine
from edge.wire import content
from edge.wire.cable import Show
from edge.wire.orders import Verdict
from tests.firmware.board import Board, until
from tests.firmware.panels import CableHub, Picture, drawn
from tests.firmware.pictures import HEIGHT, WIDTH, order, packed, qr, show


def wants(hub: CableHub, picture: Picture) -> Show:
    hub.pictures[picture.sha256] = picture.data
    return Show(show=content.Show(picture=picture.sha256, size=len(picture.data)))


async def test_a_qr_goes_before_what_is_scheduled_which_comes_back_without_being_fetched(tmp_path: Path) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    async with UartLine() as line:
        board = Board(tmp_path, line)
        await board.boot()
        idle = board.pixels()
        hub = CableHub(board)
        await hub.meets()
        session = hub.session
        await session.tell(wants(hub, one))
        await hub.serve(lambda: len(hub.told) == 2)
        assert [told.picture for told in hub.told] == ["", one.sha256]  # at first it was ready, and no more
        assert (hub.told[1].err, board.pixels()) == ("", one.bitmap)
        state = await board.until_state(lambda state: state.screen == "picture")
        assert state.slot is None
        fetched = hub.fetched

        # A QR is up: it stays for its time, whatever is scheduled meanwhile; then the picture is back.
        assert (await session.deliver(show(1, qr(), show_s=600))).verdict is Verdict.DONE
        await session.tell(wants(hub, two))
        await hub.serve(lambda: hub.fetched == fetched + -(-len(two.data) // 2048))
        assert board.pixels() == qr()
        assert len(hub.told) == 2  # the other is not to be seen yet
        await session.deliver(order(2, "start_rotation"))  # the customer has paid
        await until(lambda: board.pixels() == two.bitmap)
        await hub.serve(lambda: hub.told[-1].picture == two.sha256)
        fetched = hub.fetched
        assert (await session.deliver(show(3, qr("again"), show_s=0.3))).verdict is Verdict.DONE
        await until(lambda: board.pixels() == two.bitmap)
        assert hub.fetched == fetched

        # Stored pictures take turns only where nothing is scheduled.
        await session.deliver(order(4, "store_picture", blob=packed(qr("seven")), slot=7))
        await board.until_state(lambda state: state.pictures == (7,))
        assert board.pixels() == two.bitmap
        await session.tell(Show(show=None))
        await until(lambda: board.pixels() == qr("seven"))
        await hub.serve(lambda: hub.told[-1].picture == "")  # nothing of the hub's is there
        await session.deliver(order(5, "erase_picture", slot=7))
        await until(lambda: board.pixels() == idle)
        await session.tell(wants(hub, two))
        await until(lambda: board.pixels() == two.bitmap)  # it has it still
        assert hub.fetched == fetched

        # The power goes, and there is no hub: it shows the last good one by itself.
        await session.close()
        await board.cut_power()
        await board.boot()
        await until(lambda: board.pixels() == two.bitmap)
        hub.told.clear()
        await hub.meets()
        await hub.serve(lambda: bool(hub.told))
        assert hub.told[0].picture == two.sha256
        await hub.session.close()
        await board.cut_power()
