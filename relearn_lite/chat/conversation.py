"""A conversation with both models: each is told the turns that it took part in, in the chat template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from relearn_lite.data.examples import chat_ids
from relearn_lite.models.generation import Completion, Decoding, check_fits, context_length, stream
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.pipeline.run_state import Run
from relearn_lite.text.turns import Turn

NAMES = ("before", "after")


@dataclass
class Side:
    """One of the two models: its weights, the adapters to switch on, and the turns that it took part in."""

    name: str
    loaded: Loaded
    adapters: tuple[str, ...]
    turns: list[Turn] = field(default_factory=list)
    forgotten: int = 0  # oldest turns that no longer fit, each time they were left out


def sides_of(run: Run) -> dict[str, Side]:
    """The run's models, loaded: one set of weights with its adapters off and on; two, where a whole one was named."""
    whole = run.recipe.unlearned and run.recipe.unlearned.whole
    if whole:
        before, after = run.vanilla, run.other  # both at once, or every question would load a model
    else:
        before = after = run.model("unlearned")
    adapters = before.vanilla_adapters, after.unlearned_adapters
    return {"before": Side("before", before, adapters[0]), "after": Side("after", after, adapters[1])}


class Conversation:
    """What was said so far, to each side by itself."""

    def __init__(self, run: Run):
        self.sides, self.run = sides_of(run), run
        self.asked: str | None = None  # the last question, and the answers to it
        self._role = "user"
        self.answers: dict[str, Completion] = {}

    def forget_turns(self) -> None:
        """Begins anew: the next question is the first."""
        for side in self.sides.values():
            side.turns.clear()

    def begin(self, question: str, role: str = "user") -> None:
        """A new question, which no side has answered yet. role: `text` for one that begins a text, see `text.turns`."""
        self.asked, self._role, self.answers = question, role, {}

    def answer(self, name: str, told: Callable[[str], None], stopped: Callable[[], bool]) -> Completion:
        """One side's answer to the question, piece by piece to `told`; an answer that was stopped counts as it is.

        Raises RecipeError where the question is too long for the model.
        """
        side, settings = self.sides[name], self.run.recipe.generate
        decoding = Decoding.of(settings, self.run.recipe.seed)
        turn = {"role": self._role, "content": self.asked or ""}
        while side.turns and self._too_long(side, turn, decoding):
            del side.turns[:2]
            side.forgotten += 1
        prompt = chat_ids(side.loaded.tokenizer, [*side.turns, turn])
        check_fits(side.loaded, [prompt], decoding)
        with active_adapters(side.loaded.model, side.adapters):
            made = stream(side.loaded, prompt, decoding, told, stopped)
        side.turns += [turn, {"role": "assistant", "content": made.text}]
        self.answers[name] = made
        return made

    @staticmethod
    def _too_long(side: Side, turn: Turn, decoding: Decoding) -> bool:
        limit = context_length(side.loaded)
        tokens = len(chat_ids(side.loaded.tokenizer, [*side.turns, turn]))
        return limit is not None and tokens + decoding.max_new_tokens > limit
