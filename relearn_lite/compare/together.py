"""Fluency and relevance of the answers of all methods to one question, rated in one prompt, as the ReLearn code has it.

The judge is not told whose an answer is. Where it stands among the others is drawn for each question and rating with
the recipe's seed, so that no method gains by its place. `ratings.jsonl` keeps what was rated; what is missing is asked
for again the next time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relearn_lite.compare.sharing import Comparison
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl, write_jsonl
from relearn_lite.core.memory import free_memory
from relearn_lite.evaluate.choose import make_judge
from relearn_lite.evaluate.evaluate import summarize
from relearn_lite.metrics.declaration import SIDES, MetricValues
from relearn_lite.pipeline.fingerprints import fingerprint
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import result_keys
from relearn_lite.report.compare import Compared
from relearn_lite.writers.prompts import built_in

RATINGS = "ratings.jsonl"
AT_ONCE = 64  # prompts, after which what was rated is on disk
UNREAD = "the judge gave no ratings that can be read"


@dataclass(frozen=True)
class Rated:
    """One prompt. names: whose the answers are, in the order in which the judge sees them; scores: theirs, None where
    they could not be had, for `reason`. fingerprint: of all that they depend on."""

    kind: str
    split: str
    id: str
    names: list[str]
    fingerprint: str
    scores: list[int] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Asked:
    """What the judge is shown, and where its ratings go."""

    question: str
    texts: list[str]
    rated: Rated


def rate_together(job: Comparison, shared: Run, compared: Sequence[Compared]) -> list[Compared]:
    """The methods with their ratings beside each other, in the form of metrics.json; as they are where none are asked
    for. shared: gives the vanilla model, which may be the judge. A judge that fails leaves ratings missing."""
    finished = [each for each in compared if each.results]
    if not job.recipe.compare.ratings or not finished:
        return list(compared)
    path = job.folder / RATINGS
    known = {each.fingerprint: each for each in read_jsonl(path, Rated) if each.scores} if path.exists() else {}
    asked = list(_prompts(job, finished))
    new = [each for each in asked if each.rated.fingerprint not in known]
    for rated in _ask(job, shared, new):
        known |= {each.fingerprint: each for each in rated}
        write_jsonl(path, [known[each.rated.fingerprint] for each in asked if each.rated.fingerprint in known])
    rows = [known[each.rated.fingerprint] for each in asked]
    return [
        replace(each, together={"vanilla": _numbers(rows, "vanilla"), "unlearned": _numbers(rows, each.name)})
        if each.results else each
        for each in compared
    ]  # fmt: skip


def _prompts(job: Comparison, finished: Sequence[Compared]) -> Iterator[Asked]:
    """For each rating and question that all were asked, the answers of vanilla and of every method, shuffled."""
    recipe = job.recipe
    judge = result_keys(recipe.evaluate.evaluators.judge, "judge")
    samples = [{(row["split"], row["id"]): row for row in each.results.samples} for each in finished]
    for kind in recipe.compare.ratings:
        for (split, id_), first in samples[0].items():
            if split not in SIDES:
                continue
            answers = {"vanilla": first["vanilla"]}
            answers |= {each.name: rows[split, id_]["unlearned"] for each, rows in zip(finished, samples, strict=True)}
            names = list(answers)
            random.Random(f"{recipe.seed} {kind} {split} {id_}").shuffle(names)
            texts = [answers[name] for name in names]
            shown = {"prompt": built_in()[f"{kind}_together"], "question": first["query"], "texts": texts}
            mark = fingerprint(judge | shown | {"split": split, "id": id_, "names": names})
            yield Asked(first["query"], texts, Rated(kind, split, id_, names, mark))


def _ask(job: Comparison, shared: Run, asked: Sequence[Asked]) -> Iterator[list[Rated]]:
    """The ratings, some prompts at a time. Once the judge cannot be asked, all that is left is missing."""
    if not asked:
        return
    job.say(f"ratings: {len(asked)} prompts, each with the answers of all methods ...")
    judge, failure = None, None
    try:
        judge = make_judge(job.recipe, lambda: shared.model("vanilla"))
    except RecipeError as error:
        failure = " ".join(error.problems)
    for start in range(0, len(asked), AT_ONCE):
        rows = asked[start : start + AT_ONCE]
        found: list[list[int] | None] = [None] * len(rows)
        for kind in () if failure else dict.fromkeys(row.rated.kind for row in rows):
            places = [n for n, row in enumerate(rows) if row.rated.kind == kind]
            try:
                scores = judge.rate_together(kind, [(rows[n].question, rows[n].texts) for n in places])
            except RecipeError as error:  # such as a prompt that is longer than it can read
                failure = " ".join(error.problems)
                break
            for n, each in zip(places, scores, strict=True):
                found[n] = each
            failure = failure or judge.failure
        yield [
            replace(row.rated, scores=each, reason=None if each else failure or UNREAD)
            for row, each in zip(rows, found, strict=True)
        ]
    if failure:
        job.say(f"ratings: some are missing: {failure}; run the same command again to ask for them")
    del judge
    free_memory()


def _numbers(rows: Sequence[Rated], name: str) -> dict[str, Any]:
    """One model's ratings as means, with intervals, missing counts and reasons."""
    result: dict[str, Any] = {"missing": {}, "reasons": {}, "intervals": {}, "notes": {}}
    numbers = {}
    for kind, side in dict.fromkeys((row.kind, row.split) for row in rows):
        found = [row for row in rows if (row.kind, row.split) == (kind, side)]
        values = [row.scores[row.names.index(name)] if row.scores else None for row in found]
        key = f"{kind}_{side}"
        numbers[key] = summarize(key, MetricValues(values, [row.reason for row in found]), result)
    return numbers | result
