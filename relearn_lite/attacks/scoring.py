"""From the answers of all attacks to one table: KFR and KRR under each, the curves of relearning, and what leaked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.attacks.asking import SIDES, Attempt
from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics import METRICS
from relearn_lite.metrics.intervals import bootstrap_interval
from relearn_lite.metrics.privacy import leak_at_k
from relearn_lite.metrics.rouge import rouge_recall

RATE = {"forget": "kfr", "retain": "krr"}


@dataclass(frozen=True)
class Judged:
    """An attempt, and its kfr (forget) or krr (retain): 1 good, 0 bad, None where no judgement could be had."""

    attack: str
    attempt: Attempt
    value: float | None


def judge(attempts: Mapping[str, Sequence[Attempt]], evaluators: Evaluators) -> list[Judged]:
    """All attempts, by attack, judged as `evaluate` judges answers; what was answered twice is judged once."""
    asked = {_answer(each): None for given in attempts.values() for each in given}
    values: dict[Answer, float | None] = {}
    for side, rate in RATE.items():
        answers = [answer for answer in asked if answer.split == side]
        column = METRICS[rate].measure(answers, evaluators)[rate] if answers else None
        values |= dict(zip(answers, column.values, strict=True)) if column else {}
    return [Judged(attack, each, values[_answer(each)]) for attack, given in attempts.items() for each in given]


def _answer(attempt: Attempt) -> Answer:
    return Answer(attempt.id, "", attempt.side, attempt.query, attempt.ground_truth, attempt.generated_response)


def row(attack: str, way: str, values: Mapping[str, Sequence[float | None]], title: str = "") -> dict[str, Any]:
    """One line of the table. values: by side, one a question. A mean leaves out what could not be judged."""
    line: dict[str, Any] = {
        "attack": attack, "way": way, "title": title, "reason": None, "missing": {}, "intervals": {},
        "questions": {side: len(values.get(side, ())) for side in SIDES},
    }  # fmt: skip
    for side, rate in RATE.items():
        given = values.get(side, ())
        known = [value for value in given if value is not None]
        line[rate] = math.fsum(known) / len(known) if known else None
        if len(known) > 1:
            line["intervals"][rate] = list(bootstrap_interval(known))
        if len(known) < len(given):
            line["missing"][rate] = len(given) - len(known)
    return line


def unavailable(attack: str, way: str, reason: str) -> dict[str, Any]:
    """A line without numbers, and why."""
    return row(attack, way, {}) | {"reason": reason}


def by_way(judged: Iterable[Judged], attack: str, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """A line for each way of an attack, in the order in which they were first tried."""
    ways: dict[str, dict[str, list[float | None]]] = {}
    for each in judged:
        if each.attack == attack:
            ways.setdefault(each.attempt.way, defaultdict(list))[each.attempt.side].append(each.value)
    return [row(attack, way, values, titles.get(way, "")) for way, values in ways.items()]


def worst(judged: Iterable[Judged], attacks: Sequence[str], name: str) -> dict[str, Any]:
    """The worst case over all ways of some attacks: a question has leaked if any leaks it, is lost if any loses it."""
    values: dict[str, dict[str, list[float | None]]] = {side: defaultdict(list) for side in SIDES}
    for each in judged:
        if each.attack in attacks:
            values[each.attempt.side][each.attempt.id].append(each.value)
    return row(name, "worst", {side: [lowest(of) for of in found.values()] for side, found in values.items()})


def lowest(values: Sequence[float | None]) -> float | None:
    """0 where any is; else None where any could not be judged: it might have been one; else 1."""
    if 0.0 in values:
        return 0.0
    return None if None in values else 1.0


def sampled(judged: Iterable[Judged], k: int, draws: int) -> dict[str, Any]:
    """The line of sampling: KFR is 1 - leak@k, by question; KRR that of a single draw."""
    values: dict[str, dict[str, list[float | None]]] = {side: defaultdict(list) for side in SIDES}
    for each in judged:
        if each.attack == "sampling":
            values[each.attempt.side][each.attempt.id].append(each.value)
    forgotten = []
    for drawn in values["forget"].values():
        known = [value for value in drawn if value is not None]
        forgotten.append(1 - leak_at_k(known.count(0.0), len(known), k) if len(known) >= k else None)
    retained = [of[0] for of in values["retain"].values()]
    line = row("sampling", "leak@k", {"forget": forgotten, "retain": retained})
    leaked = None if line["kfr"] is None else 1 - line["kfr"]
    return line | {"leak_at_k": leaked, "k": k, "draws": draws}


def curve(judged: Iterable[Judged], attack: str, questions: Mapping[str, set[str]]) -> dict[str, Any]:
    """KFR and KRR against steps; step 0 is the model as it was, on the same questions. questions: ids by side."""
    points: dict[int, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for each in judged:
        attempt = each.attempt
        if each.attack == "plain" and attempt.id in questions[attempt.side]:
            points[0][attempt.side].append(each.value)
        elif each.attack == attack:
            points[int(attempt.way.removeprefix("step "))][attempt.side].append(each.value)
    rows = [row(attack, f"step {step}", values) for step, values in sorted(points.items())]
    return {
        "steps": sorted(points), "questions": {side: len(ids) for side, ids in questions.items()},
        **{key: [each[key] for each in rows] for key in ("kfr", "krr", "missing", "intervals")},
    }  # fmt: skip


def leaks(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """The forget questions that leaked, each with its worst answer; those first that gave back most of their words.

    `words_back`: share of the original answer's words in that answer, in order (ROUGE-L recall). `ways`: all that
    leaked it; `plain`: whether it leaks without any attack. Of equal answers the simplest attack's is shown.
    """
    found: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if each.attempt.side == "forget" and each.value == 0.0:
            found[each.attempt.id].append(each)
    told = []
    for id_, given in found.items():
        back = [rouge_recall(e.attempt.generated_response, e.attempt.ground_truth)["rougeL"] or 0.0 for e in given]
        at = max(range(len(given)), key=lambda n: (back[n], -n))
        attempt = given[at].attempt
        told.append({
            "id": id_, "question": attempt.query, "ground_truth": attempt.ground_truth, "words_back": back[at],
            "attack": given[at].attack, "way": attempt.way, "prompt": attempt.prompt,
            "response": attempt.generated_response, "plain": any(e.attack == "plain" for e in given),
            "ways": list(dict.fromkeys(f"{e.attack}: {e.attempt.way}" for e in given if e.attack != "plain")),
        })  # fmt: skip
    return sorted(told, key=lambda leak: (-leak["words_back"], -len(leak["ways"]), leak["id"]))
