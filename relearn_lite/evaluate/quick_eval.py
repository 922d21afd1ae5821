"""A few questions to a model, judged: quick enough to be asked while it is trained."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from relearn_lite.core.records import QA, Answer, Score
from relearn_lite.data.examples import encode_answer, question_ids
from relearn_lite.data.sources import question_texts
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import GENERAL, SIDES
from relearn_lite.metrics.knowledge import RIGHT_GENERAL
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.generation import GREEDY, Decoding, answer_prompts
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.scoring import mean_losses
from relearn_lite.recipe import Recipe
from relearn_lite.text.turns import bare
from relearn_lite.unlearn.selection import EvalResult, spread
from relearn_lite.writers.question_forms import other_wordings

MEASURED = ("kfr", "krr", "ls", "leak")
FEWEST_ASKED = 4  # questions of a side; fewer facts are asked in several wordings
MAY_TIP = 5  # general questions that vanilla answers, from which on one that is lost decides nothing


def selection_questions(data: Mapping[str, Sequence[QA]], count: int) -> dict[str, list[QA]]:
    """`count` questions of each side of those that are set apart to choose by, spread evenly; control ones likewise."""
    chosen = {side: spread(count, data.get(f"{side}_select", ())) for side in (*SIDES, "control")}
    return {side: asked for side, asked in chosen.items() if asked or side in SIDES}


def stopping_questions(
    data: Mapping[str, Sequence[QA]], count: int, trained: Collection[str], seed: int
) -> dict[str, list[QA]]:
    """Questions to decide by when training may stop: about `count` of each side, the control ones as they are.

    Those that are set apart to choose by, and their paraphrases: both where there is room, else every other one
    reworded. As far as `count` allows, and of no more than `count` forget questions all, one other wording, by rules,
    where these have any, of each question that is trained, which itself is not reported: the former are few in a small
    set, and what is forgotten is to be so for all of it. A wording that is trained (trained: those texts) only where
    rules have no other: who tells there tells anywhere.
    """
    chosen, trained = selection_questions(data, count), {bare(text) for text in trained}
    reported = {text for part in ("forget_eval", "retain_eval") for qa in data[part] for text in question_texts(qa)}
    for side in SIDES:
        plain = chosen[side]
        reworded = [_put_as(qa, qa.paraphrase, "reworded") if qa.paraphrase else qa for qa in plain]
        room = 2 * len(plain) <= count
        chosen[side] = list(dict.fromkeys([*plain, *reworded] if room else [*plain[::2], *reworded[1::2]]))
        seen = {text for qa in chosen[side] for text in question_texts(qa)}
        others = [qa for qa in data[side] if bare(qa.question) not in seen]
        each = max(1, FEWEST_ASKED // (len(chosen[side]) + len(others) or 1))  # one answer alone says little
        every = side == "forget" and len(others) <= count  # what is small is to be forgotten whole
        room = len(others) if every else count - len(chosen[side])
        for qa in spread(room, others) if room > 0 else ():
            forms = other_wordings(qa.question, reported)
            if forms := [text for text in forms if bare(text) not in trained] or forms:
                forms = random.Random(f"{seed} {qa.id} check").sample(forms, min(each, len(forms)))
                chosen[side] += [_put_as(qa, form, f"other-{n}" if n else "other") for n, form in enumerate(forms)]
    return chosen


def _put_as(qa: QA, wording: str, name: str) -> QA:
    """The same question in other words; its own words become the paraphrase."""
    return replace(qa, id=f"{qa.id}/{name}", question=wording, paraphrase=qa.question)


def quick_eval(
    recipe: Recipe, loaded: Loaded, questions: Mapping[str, Sequence[QA]], judges: Evaluators, likelihood: bool = False
) -> Callable[[], EvalResult]:
    """A function that asks the unlearned model, as it is at that moment, and returns what came out (step 0).

    questions: by side, see `selection_questions`. The vanilla model is asked at once, and once only. The model's mode
    and random state stay as they are. likelihood: how far the likelihood of the answers to forget moved is found too.
    """

    def ask(model: str) -> tuple[dict, list[Answer], list[Score]]:
        with evaluation_mode(loaded):  # the judge of fluency may be this model too
            answers = {side: _answers(recipe, loaded, side, asked, model) for side, asked in questions.items()}
            named = {GENERAL if side == "control" else side: rows for side, rows in answers.items()}
            numbers, scores = evaluate(named, judges, MEASURED)
        return numbers, [answer for side in answers.values() for answer in side], scores

    before, _, scores = ask("vanilla")
    general_before = _general(scores)
    hidden = [encode_answer(loaded.tokenizer, qa.question, qa.answer) for qa in questions["forget"] if likelihood]
    loss_before = mean_losses(loaded, hidden, loaded.vanilla_adapters)

    def now() -> EvalResult:
        numbers, answers, scores = ask("unlearned")
        general = _general(scores)
        both = general.keys() & general_before.keys()  # what could not be judged is not wrong
        right, right_before = ({id_ for id_ in both if each[id_]} for each in (general, general_before))
        ls, krr, broken = (numbers.get(key) for key in ("ls_forget", "krr", "broken_forget"))
        losses = mean_losses(loaded, hidden, loaded.unlearned_adapters)
        return EvalResult(
            step=0, kfr=numbers["kfr"], krr=krr, ls=ls, ls_share=_share(ls, before["ls_forget"]),
            kept_general=_share(len(right & right_before), len(right_before)),
            general_share=_general_share(len(right), len(right_before)),
            general_ls_share=_share(numbers.get("ls_general"), before.get("ls_general")),
            krr_share=_share(krr, before["krr"]),
            broken=None if broken is None else max(0.0, broken - (before["broken_forget"] or 0.0)),
            moved=fmean(abs(a - b) for a, b in zip(losses, loss_before, strict=True)) if losses else None,
            answers=[
                {"id": a.id, "split": a.split, "query": a.query, "generated_response": a.generated_response}
                for a in answers
            ],
            leak=numbers["leak"],
        )  # fmt: skip

    return now


def _general(scores: Sequence[Score]) -> dict[str, bool]:
    """Whether general questions, by their ids, were answered right, as far as that could be judged."""
    found = (score for score in scores if score.metric == RIGHT_GENERAL.name and score.value is not None)
    return {score.id: score.value == 1 for score in found}


def _general_share(right: int, before: int) -> float | None:
    """Right answers as a share of vanilla's. One fewer, of five or more, counts as none: one answer tips by chance."""
    return 1.0 if right == before - 1 >= MAY_TIP - 1 else _share(right, before)


def _share(after: float | None, before: float | None) -> float | None:
    return after / before if after is not None and before else None


def _answers(recipe: Recipe, loaded: Loaded, side: str, asked: Sequence[QA], model: str) -> list[Answer]:
    """The likeliest answers, however the recipe samples: a choice should not hang on the dice."""
    prompts = [question_ids(loaded.tokenizer, qa.question) for qa in asked]
    decoding = Decoding.of(recipe.generate, recipe.seed, sampling=GREEDY)
    made = answer_prompts(loaded, prompts, loaded.adapters_of(model), decoding)
    made = [answer.held_to(qa.question, qa.answer) for qa, answer in zip(asked, made, strict=True)]
    return [
        Answer(qa.id, model, side, qa.question, qa.answer, answer.text, answer.finished, qa.paraphrase or "")
        for qa, answer in zip(asked, made, strict=True)
    ]
