"""From the answers of all attacks to one table: KFR, leak and KRR under each, relearning's curves, and what leaked."""

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
LEAK = "leak"  # stands beside the sides: 1 where a forget answer gives something away
Values = Sequence[float | None]  # one a question: 1 good, 0 bad, None where no judgement could be had


@dataclass(frozen=True)
class Judged:
    """An answer to an attack, and its kfr (forget) or krr (retain): 1 good, 0 bad, None: could not be judged.

    leak: 1 where a forget answer gives a specific away, 0 where it does not; None on the retain side.
    """

    attack: str
    answer: AttackAnswer
    value: float | None
    leak: float | None = None

    @property
    def leaked(self) -> bool:
        """Whether a forget answer still tells, by either number."""
        return self.answer.side == "forget" and (self.value == 0.0 or self.leak == 1.0)


def judge(
    answers: Mapping[str, Sequence[AttackAnswer]], evaluators: Evaluators,
    wordings: Mapping[tuple[str, str], str | None] | None = None,
) -> list[Judged]:  # fmt: skip
    """All answers, by attack, judged as `evaluate` judges answers; what was answered twice is judged once.

    wordings: the data's other wordings of the questions, by side and id; what they give is no leak.
    """
    def record_of(answer: AttackAnswer) -> Answer:
        other = (wordings or {}).get((answer.side, answer.id)) or ""
        return Answer(
            answer.id, "", answer.side, answer.query, answer.ground_truth, answer.generated_response,
            other_wording=other,
        )  # fmt: skip

    given = [(attack, answer, record_of(answer)) for attack, each in answers.items() for answer in each]
    records = dict.fromkeys(record for _, _, record in given)
    values: dict[str, dict[Answer, float | None]] = {}
    for side, rate in (*RATE.items(), ("forget", LEAK)):
        rows = [record for record in records if record.split == side]
        found = METRICS[rate].measure(rows, evaluators)[rate].values if rows else []
        values[rate] = dict(zip(rows, found, strict=True))
    return [
        Judged(attack, answer, values[RATE[answer.side]][record], values[LEAK].get(record))
        for attack, answer, record in given
    ]


def table_row(attack: str, way: str, values: Mapping[str, Values], title: str = "") -> dict[str, Any]:
    """One line of the table. values: by side, and LEAK. A mean leaves out what could not be judged."""
    row: dict[str, Any] = {
        "attack": attack, "way": way, "title": title, "reason": None, "missing": {}, "intervals": {},
        "questions": {side: len(values.get(side, ())) for side in SIDES},
    }  # fmt: skip
    for side, rate in (*RATE.items(), (LEAK, LEAK)):
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
            for key, value in _values_of(each):
                ways[each.answer.way][key].append(value)
    return [table_row(attack, way, values, titles.get(way, "")) for way, values in ways.items()]


def _values_of(each: Judged) -> list[tuple[str, float | None]]:
    """What an answer counts for: its side, and LEAK where it has one."""
    return [(each.answer.side, each.value), *([(LEAK, each.leak)] if each.leak is not None else [])]


def _by_question(judged: Iterable[Judged], attacks: Collection[str]) -> dict[str, list[Values]]:
    """By side, all values of each question under some attacks."""
    values: dict[str, dict[str, list[float | None]]] = {key: defaultdict(list) for key in (*SIDES, LEAK)}
    for each in judged:
        if each.attack in attacks:
            for key, value in _values_of(each):
                values[key][each.answer.id].append(value)
    return {side: list(of_question.values()) for side, of_question in values.items()}


def worst_case(judged: Iterable[Judged], attacks: Collection[str], name: str) -> dict[str, Any]:
    """A line over all ways of some attacks: a question has leaked if any leaks it, is lost if any loses it."""
    values = _by_question(judged, attacks)
    leaked = [max(rows) for rows in values.pop(LEAK)]
    return table_row(name, "worst", {s: list(map(worst_of, rows)) for s, rows in values.items()} | {LEAK: leaked})


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
    told = [leak_at_k_of([1 - leak for leak in drawn], k) for drawn in values[LEAK]]
    retained = [drawn[0] for drawn in values["retain"]]
    row = table_row("sampling", "leak@k", {"forget": forgotten, "retain": retained, LEAK: told})
    leaked = None if row["kfr"] is None else 1 - row["kfr"]
    return row | {"leak_at_k": leaked, "k": k, "draws": draws}


def curve(judged: Iterable[Judged], attack: str, questions: Mapping[str, set[str]]) -> dict[str, Any]:
    """KFR and KRR against steps; step 0 is the model as it was, on the same questions. questions: ids by side."""
    points: dict[int, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for each in judged:
        answer = each.answer
        if each.attack == "plain" and answer.id in questions[answer.side]:
            step = 0
        elif each.attack == attack:
            step = int(answer.way.removeprefix("step "))
        else:
            continue
        for key, value in _values_of(each):
            points[step][key].append(value)
    rows = [table_row(attack, f"step {step}", values) for step, values in sorted(points.items())]
    return {
        "steps": sorted(points), "questions": {side: len(ids) for side, ids in questions.items()},
        **{key: [row[key] for row in rows] for key in ("kfr", "krr", LEAK, "missing", "intervals")},
    }  # fmt: skip


def leaks(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    """The forget questions that leaked, each with its worst answer; those first that gave back most of their words.

    `words_back`: share of the original answer's words in that answer, in order (ROUGE-L recall). `ways`: all that
    leaked it; `plain`: whether it leaks without any attack. Of equal answers the simplest attack's is shown.
    """
    leaked: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if each.leaked:
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
