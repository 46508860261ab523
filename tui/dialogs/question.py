"""A question with a safe default: what will happen to what, blanks to fill in, Cancel first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

LONGEST = 200
YES = ("yes", "y", "1", "true", "on")
NO = ("no", "n", "0", "false", "off", "")


def anything(_: str) -> str:
    """A check that lets every text through."""
    return ""


def something(text: str) -> str:
    """A check that wants at least one visible character."""
    return "" if text.strip() else "This must be filled in."


def yes_or_no(text: str) -> str:
    """A check that wants one of the two."""
    return "" if text.strip().casefold() in YES + NO else "yes or no."


def means_yes(text: str) -> bool:
    """Whether a text that `yes_or_no` let through says yes."""
    return text.strip().casefold() in YES


class Blank(NamedTuple):
    """A line to fill in; `check` returns what is wrong with a text, or nothing. What is typed into a `secret` one
    is not shown, and taken as it is; `help` is for a FormDialog."""

    key: str
    label: str
    value: str = ""
    check: Callable[[str], str] = anything
    placeholder: str = ""
    secret: bool = False
    help: str = ""


class Answer(NamedTuple):
    """What the technician chose, and what the blanks hold."""

    choice: str
    values: dict[str, str]


@dataclass(frozen=True)
class Question:
    """`effect` says in full what will happen; `choices` are (id, label) of the buttons beside Cancel.

    A `dangerous` one starts on Cancel, or, where blanks must be filled in first, goes from them to Cancel.
    """

    title: str
    effect: str
    choices: tuple[tuple[str, str], ...]
    blanks: tuple[Blank, ...] = ()
    dangerous: bool = True
    facts: tuple[str, ...] = field(default=())


class QuestionDialog(ModalScreen[Answer | None]):
    """Answers the Question, or None."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Title, effect, blanks, buttons."""
        asked = self._question
        with VerticalScroll(id="dialog", classes="-danger" if asked.dangerous else ""):
            yield Label(asked.title, id="title", markup=False)
            yield Static(asked.effect, id="effect", markup=False)
            yield from self.lines(asked.blanks)
            yield Label("", id="wrong", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                for choice, label in asked.choices:
                    yield Button(label, id=f"choice-{choice}", compact=True, variant=self._variant())

    def lines(self, blanks: tuple[Blank, ...]) -> ComposeResult:
        """The blanks, each below its label."""
        for blank in blanks:
            yield Label(blank.label, classes="blank", markup=False)
            yield line_of(blank)

    def on_mount(self) -> None:
        """Where one starts, and what is wrong so far."""
        self.query_one("#dialog").can_focus = False
        self.start()
        self._judge()

    def start(self) -> None:
        """Where nothing can go wrong."""
        empty = [blank for blank in self._question.blanks if blank.check(blank.value)]
        if empty or (self._question.blanks and not self._question.dangerous):
            first = (empty or list(self._question.blanks))[0]
            self.query_one(f"#blank-{first.key}").focus()
        else:
            self.query_one("#cancel").focus()

    def on_input_changed(self) -> None:
        """Buttons work once the blanks are right."""
        self._judge()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on: to the next blank, then to Cancel where it is dangerous, else it is the answer."""
        inputs = list(self.query(Input))
        place = inputs.index(event.input)
        if place + 1 < len(inputs):
            inputs[place + 1].focus()
        elif self._question.dangerous or len(self._question.choices) > 1:
            self.query_one("#cancel").focus()
        elif not self._wrong():
            self._answer(self._question.choices[0][0])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or a choice."""
        event.stop()
        name = event.button.id or ""
        if name == "cancel":
            self.dismiss(None)
        elif not self._wrong():
            self._answer(name.removeprefix("choice-"))

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    def _answer(self, choice: str) -> None:
        values = {
            blank.key: self._value(blank) if blank.secret else self._value(blank).strip()
            for blank in self._question.blanks
        }
        self.dismiss(Answer(choice, values))

    def _value(self, blank: Blank) -> str:
        return self.query_one(f"#blank-{blank.key}", Input).value

    def _wrong(self) -> str:
        complaints = (blank.check(self._value(blank)) for blank in self._question.blanks)
        return next((text for text in complaints if text), "")

    def _judge(self) -> None:
        wrong = self._wrong()
        self.query_one("#wrong", Label).update(wrong)
        for choice, _ in self._question.choices:
            self.query_one(f"#choice-{choice}", Button).disabled = bool(wrong)

    def _variant(self) -> Literal["error", "primary"]:
        return "error" if self._question.dangerous else "primary"


def line_of(blank: Blank) -> Input:
    """Where a blank is filled in."""
    return Input(
        blank.value,
        blank.placeholder,
        id=f"blank-{blank.key}",
        compact=True,
        max_length=LONGEST,
        password=blank.secret,
    )
