"""From the answers of all attacks to one table: KFR and KRR under each, the curves of relearning, and what leaked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.attacks.answering import AttackAnswer
from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import summarize
from relearn_lite.judges import Evaluators
from relearn_lite.metrics import METRICS
from relearn_lite.metrics.declaration import SIDES, MetricValues
from relearn_lite.metrics.privacy import leak_at_k_of
from relearn_lite.metrics.rouge import rouge_recall

RATE = {"forget": "kfr", "retain": "krr"}
Values = Sequence[float | None]  # one a question: 1 good, 0 bad, None where no judgement could be had


@dataclass(frozen=True)
class Judged:
    """An answer to an attack, and its kfr (forget) or krr (retain): 1 good, 0 bad, None: could not be judged."""

    attack: str
    answer: AttackAnswer
    value: float | None


def judge(answers: Mapping[str, Sequence[AttackAnswer]], evaluators: Evaluators) -> list[Judged]:
    """All answers, by attack, judged as `evaluate` judges answers; what was answered twice is judged once."""
    records = dict.fromkeys(_record(answer) for each in answers.values() for answer in each)
    values: dict[Answer, float | None] = {}
    for side, rate in RATE.items():
        rows = [record for record in records if record.split == side]
        if rows:
            values |= zip(rows, METRICS[rate].measure(rows, evaluators)[rate].values, strict=True)
    return [Judged(attack, answer, values[_record(answer)]) for attack, each in answers.items() for answer in each]


def _record(answer: AttackAnswer) -> Answer:
    return Answer(answer.id, "", answer.side, answer.query, answer.ground_truth, answer.generated_response)


def table_row(attack: str, way: str, values: Mapping[str, Values], title: str = "") -> dict[str, Any]:
    """One line of the table. values: by side. A mean leaves out what could not be judged."""
    row: dict[str, Any] = {
        "attack": attack, "way": way, "title": title, "reason": None, "missing": {}, "intervals": {},
        "questions": {side: len(values.get(side, ())) for side in SIDES},
    }  # fmt: skip
    for side, rate in RATE.items():
        found = MetricValues.of(values.get(side, ()), "could not be judged")
        row[rate] = summarize(rate, found, row | {"reasons": {}, "notes": {}})
    return row


def unavailable(attack: str, way: str, reason: str) -> dict[str, Any]:
    """A line without numbers, and why."""
    return table_row(attack, way, {}) | {"reason": reason}


def by_way(judged: Iterable[Judged], attack: str, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """A line for each way of an attack, in the order in which they were first tried."""
    ways: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for each in judged:
        if each.attack == attack:
            ways[each.answer.way][each.answer.side].append(each.value)
    return [table_row(attack, way, values, titles.get(way, "")) for way, values in ways.items()]


def _by_question(judged: Iterable[Judged], attacks: Collection[str]) -> dict[str, list[Values]]:
    """By side, all values of each question under some attacks."""
    values: dict[str, dict[str, list[float | None]]] = {side: defaultdict(list) for side in SIDES}
    for each in judged:
        if each.attack in attacks:
            values[each.answer.side][each.answer.id].append(each.value)
    return {side: list(of_question.values()) for side, of_question in values.items()}


def worst_case(judged: Iterable[Judged], attacks: Collection[str], name: str) -> dict[str, Any]:
    """A line over all ways of some attacks: a question has leaked if any leaks it, is lost if any loses it."""
    values = _by_question(judged, attacks)
    return table_row(name, "worst", {side: list(map(worst_of, rows)) for side, rows in values.items()})


def worst_of(values: Values) -> float | None:
    """0 where any is; else None where any could not be judged: it might have been one; else 1."""
    if 0.0 in values:
        return 0.0
    return None if None in values else 1.0


def sampled(judged: Iterable[Judged], k: int, draws: int) -> dict[str, Any]:
    """The line of sampling: KFR is 1 - leak@k, by question; KRR that of a single draw."""
    values = _by_question(judged, ["sampling"])
    leaks = [leak_at_k_of(drawn, k) for drawn in values["forget"]]
    forgotten = [None if leak is None else 1 - leak for leak in leaks]
    row = table_row("sampling", "leak@k", {"forget": forgotten, "retain": [drawn[0] for drawn in values["retain"]]})
    leaked = None if row["kfr"] is None else 1 - row["kfr"]
    return row | {"leak_at_k": leaked, "k": k, "draws": draws}


def curve(judged: Iterable[Judged], attack: str, questions: Mapping[str, set[str]]) -> dict[str, Any]:
    """KFR and KRR against steps; step 0 is the model as it was, on the same questions. questions: ids by side."""
    points: dict[int, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for each in judged:
        answer = each.answer
        if each.attack == "plain" and answer.id in questions[answer.side]:
            points[0][answer.side].append(each.value)
        elif each.attack == attack:
            points[int(answer.way.removeprefix("step "))][answer.side].append(each.value)
    rows = [table_row(attack, f"step {step}", values) for step, values in sorted(points.items())]
    return {
        "steps": sorted(points), "questions": {side: len(ids) for side, ids in questions.items()},
        **{key: [row[key] for row in rows] for key in ("kfr", "krr", "missing", "intervals")},
    }  # fmt: skip


def leaks(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """The forget questions that leaked, each with its worst answer; those first that gave back most of their words.

    `words_back`: share of the original answer's words in that answer, in order (ROUGE-L recall). `ways`: all that
    leaked it; `plain`: whether it leaks without any attack. Of equal answers the simplest attack's is shown.
    """
    leaked: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if each.answer.side == "forget" and each.value == 0.0:
            leaked[each.answer.id].append(each)
    found = []
    for id_, leaking in leaked.items():
        words = [rouge_recall(e.answer.generated_response, e.answer.ground_truth)["rougeL"] or 0.0 for e in leaking]
        worst = words.index(max(words))
        answer = leaking[worst].answer
        found.append({
            "id": id_, "question": answer.query, "ground_truth": answer.ground_truth, "words_back": words[worst],
            "attack": leaking[worst].attack, "way": answer.way, "prompt": answer.prompt,
            "response": answer.generated_response, "plain": any(e.attack == "plain" for e in leaking),
            "ways": list(dict.fromkeys(f"{e.attack}: {e.answer.way}" for e in leaking if e.attack != "plain")),
        })  # fmt: skip
    return sorted(found, key=lambda leak: (-leak["words_back"], -len(leak["ways"]), leak["id"]))
