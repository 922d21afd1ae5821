"""The chat at a terminal, both answers side by side as they are made; and in a pipe, a question a line."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.chat.conversation import NAMES, Conversation
from relearn_lite.chat.why import Judging
from relearn_lite.core.errors import RecipeError
from relearn_lite.data.files import is_unicode
from relearn_lite.pipeline.run_state import Run
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SHOWN = {"/before": ("before",), "/after": ("after",), "/both": NAMES}  # command -> who answers from now on
HELP = (
    "/before, /after, /both: who answers. /why: what the last answers give away, by the run's leak check and judges. "
    "/new: forget what was said. /alone, /history: each question by itself, or after what was said. /quit or Ctrl-D: "
    "end. Ctrl-C ends an answer."
)
SINGLE = "The embedded model knows single questions only, so each is asked by itself; /history changes that."
PASSAGES = "This run asks how texts go on, so each line is continued as bare text; /history asks in the chat template."
SIDE_BY_SIDE = 60  # columns of the terminal from which on two answers stand beside each other
LONGEST = 100_000  # characters of one answer that are shown


def chat(run: Run, ask: Path | None = None, as_json: bool = False) -> None:
    """Talks until the end of the input, or answers each line of a file or a pipe by itself.

    as_json: an object a question, {"question", "before", "after"}, on standard output.
    """
    from rich.console import Console

    lines = _lines(ask)  # a file that cannot be read is told before a model is loaded
    console = Console(highlight=False, markup=False, stderr=as_json)  # standard output holds objects alone then
    console.soft_wrap = not console.is_terminal  # a pipe gets whole lines; a live answer would be cut at the edge
    if console.is_terminal:
        console.print(f"loading {visible(run.recipe.model.name)} ...", style="dim")
    talk = Talk(Conversation(run), Judging(run), console, as_json)
    if lines is None and sys.stdin.isatty():
        talk.interactively()
    else:
        talk.through(piped() if lines is None else lines)


def piped() -> Iterator[str]:
    """The lines of a pipe, without a mark in front. Raises RecipeError at the first that is not UTF-8."""
    _any_bytes()
    for number, line in enumerate(sys.stdin, 1):
        if not is_unicode(line):
            raise RecipeError(f"chat: line {number} of what is piped in is not UTF-8 text; save it as UTF-8")
        yield line.removeprefix("\ufeff")


def _any_bytes() -> None:
    """Has standard input give what is not UTF-8 as halves of surrogate pairs, which else depends on the locale."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def _lines(ask: Path | None) -> list[str] | None:
    if ask is None:
        return None
    try:
        lines = ask.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(f"--ask: {ask} cannot be read ({why}); give a text file with a question a line") from None
    if not any(line.strip() for line in lines):
        raise RecipeError(f"--ask: {ask} holds no question; give a text file with a question a line")
    return lines


class Talk:
    """Takes lines, which are questions or commands, and shows what comes of them."""

    def __init__(self, said: Conversation, judging: Judging, console: Console, as_json: bool = False):
        self.said, self.judging, self.console, self.as_json = said, judging, console, as_json
        self.who: tuple[str, ...] = NAMES
        self.passages = judging.of_passages  # continued where each line is asked by itself
        self.alone = self.passages or said.run.recipe.model.name == "embedded"

    def interactively(self) -> None:
        """Asks for lines until /quit or the end of the input. Ctrl-C ends an answer or a /why, or clears the line."""
        _any_bytes()
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401  edits lines; what was typed is kept in memory and never written
        self.console.print(f"{self.judging.run.folder.name}: {HELP}", style="dim")
        if self.alone:
            self.console.print(PASSAGES if self.passages else SINGLE, style="dim")
        while True:
            try:
                line = input("> ").strip()
                if line in ("/quit", "/exit"):
                    return
                if not is_unicode(line):
                    raise RecipeError("chat: that line is not UTF-8 text; type it again")
                self.take(line)
            except EOFError:
                self.console.print()
                return
            except KeyboardInterrupt:
                self.console.print("\n/quit or Ctrl-D ends the chat", style="dim")
            except RecipeError as error:  # a question that is too long ends no chat
                self.console.print(str(error), style="red")

    def through(self, lines: Iterable[str]) -> None:
        """Answers each line by itself, as the run asks its questions; lines that begin with / are commands.

        Raises RecipeError, with the number of the line, at the first that is too long.
        """
        self.alone = True
        for number, line in enumerate(lines, 1):
            if line.strip() in ("/quit", "/exit"):
                return
            try:
                self.take(line.strip())
            except RecipeError as error:
                raise RecipeError(f"line {number}: {error}") from None

    def take(self, line: str) -> None:
        """Does what a line says."""
        if line in SHOWN:
            self.who = SHOWN[line]
        elif line == "/new":
            self.said.forget_turns()
        elif line in ("/alone", "/history"):
            self.alone = line == "/alone"
            if self.passages:  # texts are no turns of a chat
                self.said.forget_turns()
        elif line == "/why":
            for sentence in self.judging.explain(self.said):
                self.console.print(visible(sentence, LONGEST))
        elif line.startswith("/"):
            if line != "/help":
                self.console.print(f"There is no {visible(line.split()[0])}.")
            self.console.print(HELP)
        elif line:
            self.question(line)

    def question(self, text: str) -> None:
        """Asks both models, or the one that is to answer, and shows the answers."""
        if self.alone:
            self.said.forget_turns()
        if self.alone and self.passages:
            self.said.begin(self.judging.passage_of(text), "text")
        else:
            self.said.begin(text)
        if self.as_json:
            for name in self.who:
                self.said.answer(name, lambda piece: None, lambda: False)
            found = {name: made.text for name, made in self.said.answers.items()}
            print(json.dumps({"question": text, **found}, ensure_ascii=False), flush=True)
        elif self.console.is_terminal:
            self._live()
        else:
            self.console.print(f"> {visible(text, LONGEST)}")
            for name in self.who:
                made = self.said.answer(name, lambda piece: None, lambda: False)
                self.console.print(f"{name}: {visible(made.text, LONGEST)}")
        self._tell_forgotten()

    def _live(self) -> None:
        from rich.live import Live

        shown = dict.fromkeys(self.who, "")
        with _interrupts() as stopped, Live(console=self.console, refresh_per_second=12) as live:

            def add(name: str) -> Callable[[str], None]:
                def told(piece: str) -> None:
                    shown[name] += piece
                    live.update(self._drawn(shown))

                return told

            for name in self.who:
                if not stopped():
                    shown[name] = self.said.answer(name, add(name), stopped).text
                    live.update(self._drawn(shown))
            if stopped() and self.said.answers:
                shown[[*self.said.answers][-1]] += " … (stopped)"
                live.update(self._drawn(shown))

    def _drawn(self, shown: dict[str, str]) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        texts = {name: Text(visible(text, LONGEST)) for name, text in shown.items()}
        if len(texts) == 1 or self.console.width < SIDE_BY_SIDE:
            return Group(*(Text.assemble((f"{name}  ", "bold"), text) for name, text in texts.items()))
        table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
        for name in texts:
            table.add_column(Text(name), ratio=1, overflow="fold")
        table.add_row(*texts.values())
        return table

    def _tell_forgotten(self) -> None:
        """The start of a long conversation is left out once it no longer fits, which is said each time."""
        cut = [side for side in self.said.sides.values() if side.forgotten and side.name in self.who]
        if cut and not self.as_json:
            told = "The conversation is longer than the model reads: its beginning is left out."
            self.console.print(told, style="dim")
        for side in cut:
            side.forgotten = 0


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, instead of an exception at whatever point; pressed twice, it is one."""
    pressed = 0

    def press(number: int, frame: object) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed > 0
    finally:
        signal.signal(signal.SIGINT, before)
