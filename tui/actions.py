"""Everything a technician can do, in one table.

It feeds the key bindings, the command palette, the line of key hints, the help screen and the test that drives
every hinted key through its real handler: so a hint cannot lie. docs/tui.md is compared with it.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

ANYWHERE = "app"


class Action(NamedTuple):
    """One thing to do.

    `id` is SCOPE.HANDLER: a screen's name, or ANYWHERE, and the method `do_HANDLER` of that screen or the app.
    `hint` is its place in the line of keys, as far as the width goes; 0: never there. `changes` marks what
    `--readonly` switches off, `dangerous` what asks first and defaults to Cancel.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    hint: int
    changes: bool
    dangerous: bool

    @property
    def scope(self) -> str:
        """The screen it belongs to, or ANYWHERE."""
        return self.id.partition(".")[0]

    @property
    def handler(self) -> str:
        """The method that does it."""
        return "do_" + self.id.partition(".")[2]

    @property
    def key_text(self) -> str:
        """The first key as printed on a keyboard."""
        return KEY_NAMES.get(self.keys[0], self.keys[0])


KEY_NAMES = {
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "escape": "Esc",
    "enter": "Enter",
    "f1": "F1",
    "space": "Space",
}


def _look(id: str, keys: str, label: str, help: str, hint: int = 0) -> Action:
    """Changes nothing."""
    return Action(id, tuple(keys.split()), label, help, hint, False, False)


def _change(id: str, keys: str, label: str, help: str, hint: int) -> Action:
    """Changes something that can be changed back."""
    return Action(id, tuple(keys.split()), label, help, hint, True, False)


def _danger(id: str, keys: str, label: str, help: str, hint: int) -> Action:
    """Asks first."""
    return Action(id, tuple(keys.split()), label, help, hint, True, True)


ACTIONS = (
    _look("overview.open_row", "enter", "Open", "Open the device or the request under the cursor.", 1),
    _look("overview.filter", "slash", "Filter", "Show fewer rows: words, state:offline, !word.", 2),
    _danger("overview.approve", "a", "Approve", "Let the device in, or give the agent a display.", 3),
    _danger("overview.dismiss", "x", "Dismiss", "Refuse the agent's request under the cursor.", 4),
    _danger("device.approve", "a", "Approve", "Approve this device: from then on it may act.", 1),
    _change("device.show_text", "s", "Show QR", "Show a QR code made from text you type.", 2),
    _change("device.show_file", "f", "QR file", "Show the QR code in a picture file here.", 3),
    _danger("device.resolve", "v", "Resolve", "Say what happened to a command in doubt.", 4),
    _danger("device.cancel", "c", "Take back", "Take back a command that has not been sent.", 5),
    _change("device.start_rotation", "o", "Rotate", "Start the rotation of stored pictures.", 6),
    _change("device.stop_rotation", "h", "Halt", "Halt the rotation of stored pictures.", 7),
    _danger("device.link_agent", "l", "Link agent", "Seat an agent at this display.", 8),
    _danger("device.end_session", "e", "End session", "Unseat the agent who sits here.", 9),
    _change("device.bind_desk", "w", "Workstation", "Say at which computer this display stands.", 10),
    _danger("device.unbind_desk", "u", "Unbind", "Undo that.", 13),
    _change("device.rename", "n", "Rename", "Give this device another name.", 11),
    _danger("device.forget", "d", "Forget", "Remove this device, its token and bindings.", 12),
    _danger("device.retry", "t", "Retry", "Send a command again, where that is safe.", 14),
    _change("device.set_value", "b", "Set value", "Say what a value of this device shall be.", 4),
    _danger("device.confirm", "i", "Confirm", "Let a device that lost its memory act again.", 2),
    _look("device.open_row", "enter", "Details", "Show a command and the attempts at it.", 15),
    _look("device.pause", "p", "Pause", "Hold the log still, or follow it again.", 16),
    _look("queue.open_row", "enter", "Details", "Show a command and the attempts at it.", 1),
    _danger("queue.resolve", "v", "Resolve", "Say what happened to a command in doubt.", 2),
    _danger("queue.cancel", "c", "Take back", "Take back a command that has not been sent.", 3),
    _danger("queue.retry", "t", "Retry", "Send a command again, where that is safe.", 4),
    _look("queue.open_device", "g", "Go to device", "Open the device a command is for.", 5),
    _look("queue.filter", "slash", "Filter", "Show fewer rows: words, state:in_doubt, !word.", 6),
    _look("serial.monitor", "enter m", "Monitor", "Watch the bytes on this port, both ways.", 1),
    _danger("serial.reset", "x", "Reset", "Pulse the reset line of the board on it.", 2),
    _danger("serial.release", "l", "Let go", "Free this port for another program.", 3),
    _change("serial.own", "o", "Own", "Make the hub take this port again.", 4),
    _look("monitor.pause", "p space", "Pause", "Hold the lines still, or follow them again.", 1),
    _look("monitor.form", "x", "Hex/text", "Show hex and text, or text alone.", 2),
    _danger("vending.vend", "v", "Vend", "Dispense one piece from the slot under the cursor.", 1),
    _change("vending.restock", "s", "Restock", "Say how many you put into a slot.", 2),
    _danger("vending.correct", "c", "Correct", "Say how many a slot really holds.", 3),
    _change("vending.set_up", "e", "Set up", "Say what is in a slot, its price, how many fit.", 4),
    _danger("vending.resolve", "w", "Resolve", "Say what happened to a vend in doubt.", 5),
    _look("vending.open_row", "enter", "Details", "Show a vend and the attempts at it.", 6),
    _look("vending.filter", "slash", "Filter", "Show fewer rows: words, machine:hall, state:empty.", 7),
    _look("talk.pause", "p space", "Pause", "Hold the lines still, or follow them again.", 1),
    _look("talk.filter", "slash", "Filter", "Show fewer lines: words, device:till, direction:out.", 2),
    _change("sync.enrol", "e", "Enrol", "Type the code head office reads out.", 1),
    _change("sync.retry", "t", "Send again", "Send again what the centre would not take.", 2),
    _danger("sync.discard", "x", "Discard", "Never send again what the centre would not take.", 4),
    _danger("sync.leave", "l", "Leave", "Send nothing to the centre any more.", 3),
    _look("assets.open_row", "enter", "Open", "Open the asset: its stops, and why it stood.", 1),
    _look("assets.window", "w", "Window", "Another time: 8 h, today, yesterday, 7 days.", 2),
    _look("assets.shift", "s", "Shift", "Figures of one shift alone, or of all time.", 3),
    _change("assets.reason", "v", "Reason", "Say why it stands still.", 4),
    _change("assets.set_up", "e", "Set up", "Its name, its line, and which stops are short.", 5),
    _danger("assets.wire", "i", "Wire", "Say which input of which logger tells of it.", 6),
    _look("assets.filter", "slash", "Filter", "Show fewer rows: words, line:a, state:stopped.", 7),
    _change("asset.reason", "enter v", "Reason", "Say why it stood still, for the stop chosen.", 1),
    _look("asset.window", "w", "Window", "Another time: 8 h, today, yesterday, 7 days.", 2),
    _look("asset.shift", "s", "Shift", "Figures of one shift alone, or of all time.", 3),
    _change("asset.set_up", "e", "Set up", "Its name, its line, and which stops are short.", 4),
    _danger("asset.wire", "i", "Wire", "Say which input of which logger tells of it.", 5),
    _look("asset.open_device", "g", "Go to logger", "Open the device that tells of it.", 6),
    _look("firmware.open_row", "enter", "Open", "Open the rollout or the firmware under the cursor.", 1),
    _danger("firmware.start", "s", "Roll out", "Let devices run firmware, wave by wave.", 2),
    _change("firmware.pause", "p", "Pause", "Offer nothing new of the rollout for now.", 3),
    _change("firmware.upload", "u", "Upload", "Give the hub a firmware file of this machine.", 4),
    _look("firmware.open_boards", "b", "USB", "Flash, recover or reset boards on a cable.", 5),
    _look("firmware.open_runs", "d", "Devices", "What each device runs, and shall run.", 6),
    _danger("firmware.remove", "x", "Remove", "Remove the firmware under the cursor.", 7),
    _look("firmware.filter", "slash", "Filter", "Show fewer rows: words, state:paused.", 8),
    _change("rollout.pause", "p", "Pause", "Offer nothing new; what has switched goes on.", 1),
    _danger("rollout.resume", "o", "Go on", "Go on; what went wrong so far counts no more.", 2),
    _danger("rollout.retry", "t", "Retry", "Try again with devices that went wrong.", 3),
    _danger("rollout.abort", "x", "Abort", "Take it back from all that have not switched.", 4),
    _look("rollout.open_device", "enter g", "Device", "Open the device under the cursor.", 5),
    _look("rollout.filter", "slash", "Filter", "Show fewer rows: words, state:failed, wave:2.", 6),
    _look("runs.open_device", "enter", "Open", "Open the device under the cursor.", 1),
    _danger("runs.assign", "s", "Assign", "Let this one device run some firmware.", 2),
    _danger("runs.unassign", "u", "Take back", "Take back what this device is offered.", 3),
    _look("runs.filter", "slash", "Filter", "Show fewer rows: words, runs:sensor, state:held.", 4),
    _danger("boards.flash", "f", "Flash", "Put MicroPython, an app or both on the board.", 1),
    _danger("boards.identify", "i", "Identify", "Ask the board what it is; it starts anew.", 2),
    _danger("boards.recover", "v", "Recover", "Bring back a board that does not answer.", 3),
    _change("boards.cancel", "c", "Cancel", "End what is being done at this port.", 4),
    _change("boards.upload", "u", "Upload", "Give the hub a MicroPython file of this machine.", 5),
    _danger("boards.factory_reset", "n", "Reset", "The board forgets its settings and keeps its app.", 6),
    _danger("boards.erase", "e", "Erase", "Every byte of the board's flash goes.", 7),
    _look("boards.open_device", "g", "Go to device", "Open the device that the board is.", 8),
    _change("provision.set_up", "enter", "Set up", "Give the board under the cursor its WiFi and hub.", 1),
    _change("provision.type_it", "d", "Typed", "The same by typing at the console of our firmware.", 2),
    _danger("provision.approve", "a", "Approve", "Let the device in that was set up here.", 3),
    _change("provision.cancel", "c", "Cancel", "End setting up the board under the cursor.", 4),
    _look("provision.open_device", "g", "Go to device", "Open the device that was set up here.", 5),
    _look("content.open_device", "enter", "Open", "Open the device whose panel this is.", 1),
    _look("content.turn", "w", "Wanted", "What it should show, or what it does show.", 2),
    _look("content.open_documents", "d", "Documents", "What people wrote; publish it, or go back.", 3),
    _look("content.filter", "slash", "Filter", "Show fewer rows: words, state:behind, shows:menu.", 4),
    _danger("documents.publish", "p", "Publish", "Let panels show the draft under the cursor.", 1),
    _danger("documents.revert", "b", "Go back", "Let panels show an earlier version again.", 2),
    _look("documents.filter", "slash", "Filter", "Show fewer rows: words, kind:layout, state:conflict.", 3),
    _look("app.go_overview", "1", "Overview", "All devices and who asks for what."),
    _look("app.go_queue", "2", "Queue", "Commands that wait or are in doubt."),
    _look("app.go_serial", "3", "Serial", "Ports, their owners and what is wrong."),
    _look("app.go_vending", "4", "Vending", "Slots, what was dispensed, what is in doubt."),
    _look("app.go_talk", "5", "Log", "What goes to devices and comes from them."),
    _look("app.go_sync", "6", "Sync", "How this site stands with the centre."),
    _look("app.go_assets", "7", "Assets", "Machines: how they run, when and why they stood."),
    _look("app.go_firmware", "8", "Firmware", "Firmware held, rolled out, flashed over USB."),
    _look("app.go_provision", "9", "Provision", "Give a new board its WiFi and its hub."),
    _look("app.go_content", "0", "Content", "What each panel shows, and what it should."),
    _look("app.help", "question_mark f1", "Help", "Show all keys of this screen.", 50),
    _look("app.palette", "colon", "Commands", "Find a command, a device or an asset by name.", 51),
    _look("app.quit", "q", "Quit", "Leave the terminal; the hub goes on.", 52),
    _look("app.copy_id", "y", "Copy id", "Copy the id under the cursor."),
    _look("app.refresh_now", "r", "Refresh", "Ask the hub for everything again, now."),
    _look("app.back", "escape", "Back", "Clear the filter, else go back."),
)

BY_ID = {action.id: action for action in ACTIONS}


def of_scope(scope: str) -> list[Action]:
    """The actions of one screen, those of everywhere last."""
    return [it for it in ACTIONS if it.scope == scope] + [it for it in ACTIONS if it.scope == ANYWHERE]


def bindings(scope: str) -> list[BindingType]:
    """Textual's bindings for the actions of exactly this scope."""
    return [
        Binding(",".join(it.keys), f"app.act('{it.id}')", it.label, show=it.hint > 0, tooltip=it.help, id=it.id)
        for it in ACTIONS
        if it.scope == scope
    ]


def hinted(scope: str, may_change: bool) -> list[Action]:
    """What the line of keys shows, most useful first."""
    shown = [it for it in of_scope(scope) if it.hint and (may_change or not it.changes)]
    return sorted(shown, key=lambda it: it.hint)
