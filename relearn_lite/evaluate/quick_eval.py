"""A few questions to a model, judged: quick enough to be asked while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from relearn_lite.core.records import QA, Answer, Score
from relearn_lite.data.examples import question_ids
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators
from relearn_lite.metrics import CONTROL
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.generation import GREEDY, Decoding, answer_prompts
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe
from relearn_lite.unlearn.selection import EvalResult, spread

MEASURED = ("kfr", "krr", "ls", "leak")


def selection_questions(data: Mapping[str, Sequence[QA]], count: int) -> dict[str, list[QA]]:
    """`count` questions of each side of those that are set apart to choose by, spread evenly; control ones likewise."""
    chosen = {side: spread(count, data.get(f"{side}_select", ())) for side in (*SIDES, "control")}
    return {side: asked for side, asked in chosen.items() if asked or side in SIDES}


def quick_eval(
    recipe: Recipe, loaded: Loaded, questions: Mapping[str, Sequence[QA]], judges: Evaluators
) -> Callable[[], EvalResult]:
    """A function that asks the unlearned model, as it is at that moment, and returns what came out (step 0).

    questions: by side, see `selection_questions`. The vanilla model is asked at once, and once only. The model's mode
    and random state stay as they are.
    """

    questions = dict(questions)

    def ask(model: str) -> tuple[dict, list[Answer], list[Score]]:
        with evaluation_mode(loaded):  # the judge of fluency may be this model too
            answers = {side: _answers(recipe, loaded, side, asked, model) for side, asked in questions.items()}
            numbers, scores = evaluate(answers, judges, MEASURED)
        return numbers, [answer for side in answers.values() for answer in side], scores

    numbers, _, scores = ask("vanilla")
    before, general = numbers["ls_forget"], {s.id for s in scores if s.metric == CONTROL.name and s.value == 1}
    if "control" in questions:  # what vanilla does not answer cannot be lost
        questions["control"] = [qa for qa in questions["control"] if qa.id in general]

    def now() -> EvalResult:
        numbers, answers, _ = ask("unlearned")
        ls = numbers["ls_forget"]
        return EvalResult(
            step=0, kfr=numbers["kfr"], krr=numbers["krr"], ls=ls,
            ls_share=ls / before if ls is not None and before else None, kept_general=numbers.get(CONTROL.name),
            answers=[
                {"id": a.id, "split": a.split, "query": a.query, "generated_response": a.generated_response}
                for a in answers
            ],
            leak=numbers["leak"],
        )  # fmt: skip

    return now


def _answers(recipe: Recipe, loaded: Loaded, side: str, asked: Sequence[QA], model: str) -> list[Answer]:
    """The likeliest answers, however the recipe samples: a choice should not hang on the dice."""
    prompts = [question_ids(loaded.tokenizer, qa.question) for qa in asked]
    decoding = Decoding.of(recipe.generate, recipe.seed, sampling=GREEDY)
    made = answer_prompts(loaded, prompts, loaded.vanilla if model == "vanilla" else loaded.unlearned, decoding)
    return [
        Answer(qa.id, model, side, qa.question, qa.answer, answer.text, answer.finished)
        for qa, answer in zip(asked, made, strict=True)
    ]
