"""Stage ask: the vanilla model answers all questions before anything is trained, and what it does not know is named.

known.json: {"asked", "known", "unjudged" (counts), "left_out" (ids), "unknown": [{id, question, answer, vanilla}],
"judged_by", "own_words": {id: how the model words a short answer that is trained}}. Forget questions come first: of a
model that knows none of them nothing else is asked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl, write_json
from relearn_lite.core.records import QA, Answer
from relearn_lite.data.examples import check_lengths, encode_answers
from relearn_lite.evaluate.choose import knowledge_evaluators
from relearn_lite.evaluate.known import tells
from relearn_lite.evaluate.own_words import own_words, short_answers
from relearn_lite.models.generation import context_length
from relearn_lite.pipeline.own_answers import own_answers
from relearn_lite.pipeline.run_state import KNOWN, Run
from relearn_lite.pipeline.stages.generate import answer_questions
from relearn_lite.pipeline.stages.unlearn import learns_new_answers
from relearn_lite.report.console import stage_progress
from relearn_lite.text.turns import last_turn

NAMED = 3  # unknown questions that are shown at once; known.json has them all
LEARNT = "forget_trained"  # forget questions that are trained on or chosen by, and not evaluated


def ask(run: Run) -> dict[str, Any]:
    """Answers of the vanilla model, answers/vanilla_<split>.jsonl, and known.json."""
    _check_lengths(run)
    questions = run.splits(run.given)
    rest = only_trained(run)
    judged = {"forget": questions["forget"]} | ({LEARNT: rest} if rest else {})
    order = judged | {split: asked for split, asked in questions.items() if split != "forget"}
    (run.folder / KNOWN).unlink(missing_ok=True)
    with stage_progress("ask", sum(map(len, order.values())), run.quiet) as advance:
        for number, (split, asked) in enumerate(order.items(), 1):
            answer_questions(run, run.model("vanilla"), "vanilla", split, asked, advance)
            if number == len(judged):
                found = _judge(run, judged)
    worded = _own_words(run)
    write_json(run.folder / KNOWN, found | {"own_words": worded})
    section = run.recipe.augment
    if run.recipe.unlearn and section.writer == "local" and not section.uses_model(run.recipe.model.name):
        run.unload_models()  # one model in memory: the next is another one, which writes
    return {key: found[key] for key in ("asked", "known", "unjudged")}


def only_trained(run: Run) -> list[QA]:
    """Forget questions that are not evaluated and asked all the same: with data.only_known those of them that are not
    known are left out too."""
    if not run.recipe.data.only_known:
        return []
    whole = {qa.id: qa for part in ("forget", "forget_select") for qa in run.given.get(part, ())}
    reported = {qa.id for qa in run.given["forget_eval"]}
    return sorted((qa for id_, qa in whole.items() if id_ not in reported), key=lambda qa: qa.id)


def _check_lengths(run: Run) -> None:
    """Raises RecipeError where rows to keep are too long to be trained, or forget questions for any new answer: here,
    before what may take hours."""
    settings, forget = run.recipe.unlearn, []
    if not settings:
        return
    if learns_new_answers(settings) and not (run.recipe.data.only_known or run.recipe.augment.from_):  # all are trained
        forget = [replace(qa, answer="") for qa in run.given["forget"]]
    for part, rows in (("retain", run.given["retain"] if settings.objective.retain else []), ("forget", forget)):
        if rows:
            loaded = run.model("vanilla")
            encoded = encode_answers(loaded.tokenizer, rows)
            check_lengths(encoded, run.recipe.model.max_length, f"data.{part}", context_length(loaded))


def _judge(run: Run, asked: dict[str, Sequence[QA]]) -> dict[str, Any]:
    """Judges the answers to forget questions and tells what is unknown. Raises RecipeError where nothing is known."""
    judges = knowledge_evaluators(run.recipe, lambda: run.model("vanilla"))
    answers = [row for split in asked for row in read_jsonl(run.folder / f"answers/vanilla_{split}.jsonl", Answer)]
    told = dict(zip((row.id for row in answers), tells(answers, judges), strict=True))
    unknown = [row for row in answers if told[row.id] is False]
    drops, only_known = [row.id for row in unknown], run.recipe.data.only_known
    found = {
        "asked": len(answers), "known": sum(map(bool, told.values())), "unjudged": list(told.values()).count(None),
        "left_out": drops if only_known else [],
        "unknown": [
            {"id": row.id, "question": row.query, "answer": row.ground_truth, "vanilla": row.generated_response}
            for row in unknown
        ],
        "judged_by": {name: judge for name, judge in judges.names().items() if judge},
    }  # fmt: skip
    write_json(run.folder / KNOWN, found)  # also where the run stops here
    if unknown or not run.quiet:
        print(f"ask: {_told(found, only_known)}", file=sys.stderr)
    for part in ("forget", "forget_eval", "forget_select") if only_known else ("forget_eval",):
        ids = {qa.id for qa in run.given.get(part, ())}
        if ids and (run.recipe.unlearn or only_known) and all(told[id_] is False for id_ in ids):
            _stop(run, part, [row for row in unknown if row.id in ids])
    return found


def _own_words(run: Run) -> dict[str, str]:
    """How the model words the short answers that are trained, by their ids, where it does."""
    short = short_answers(run.given) if run.recipe.own_words else []
    if not short:
        return {}
    what = "ask, short answers in the model's own words"
    said = own_answers(run, [qa.question for qa in short], run.folder / "answers/vanilla_own_words.jsonl", what)
    found = {qa.id: own_words(qa, text) for qa, (text, _) in zip(short, said, strict=True)}
    found = {id_: text for id_, text in found.items() if text}
    example = next((f" ({qa.answer!r}: {found[qa.id]!r})" for qa in short if qa.id in found), "")
    run.say(
        f"ask: {len(found)} of {len(short)} answers of a few words are trained as the model itself words them{example}"
        "; data.own_words: false trains them as they stand"
    )
    return found


def _told(found: dict[str, Any], only_known: bool) -> str:
    words = f"the vanilla model knows {found['known']} of {found['asked']} forget questions"
    if found["unjudged"]:
        words += f", of {found['unjudged']} it could not be judged"
    if not found["unknown"]:
        return words
    first = ", ".join(repr(last_turn(row["question"])[1]) for row in found["unknown"][:NAMED])
    if (count := len(found["unknown"])) == 1:
        remedy = "it is left out" if only_known else "it stays in, data.only_known: true leaves it out"
        return f"{words}; it does not know {first} ({KNOWN} has its answer; {remedy})"
    more = " and so on" if count > NAMED else ""
    remedy = "they are left out" if only_known else "they stay in, data.only_known: true leaves them out"
    return f"{words}; it does not know {first}{more} ({KNOWN} names all {count}; {remedy})"


def _stop(run: Run, part: str, unknown: Sequence[Answer]) -> None:
    """Nothing can be forgotten that was never known."""
    if run.recipe.data.nothing_known == "go_on" and not run.recipe.data.only_known:
        return
    go_on = "" if run.recipe.data.only_known else ", or set data.nothing_known: go_on to train all the same"
    row, asked, cut = unknown[0], len(unknown), sum(not each.finished for each in unknown)
    longer = f"; {cut} answers were cut at generate.max_new_tokens, so raise that first" if 2 * cut > asked else ""
    raise RecipeError(
        f"data.{part}: the model ({run.recipe.model.name}) knows none of the {asked} questions, so there is nothing "
        f"that it could forget (asked {_short(row.query)} it said {_short(row.generated_response)}; "
        f"{run.folder / KNOWN} has all); teach it first with a finetune section (more epochs if it has one), word the "
        f"questions as it was taught them, take another model{go_on}{longer}"
    )


def _short(text: str) -> str:
    _, text = last_turn(text)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
