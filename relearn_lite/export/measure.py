"""Asks what was exported the run's own questions and lays its numbers beside those of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_rows
from relearn_lite.core.memory import free_memory
from relearn_lite.core.records import Answer
from relearn_lite.data.examples import question_ids
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.metrics import METRICS
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, answer_prompts
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Model
from relearn_lite.report.metric_table import HEADLINE, NOT_METRICS, label
from relearn_lite.report.tables import Row, Table, measured

DROP = 0.05  # a KFR that is lower by more than this has brought back what was forgotten
GUARDED = ("kfr", "kfr_paraphrase", "kfr_earlier")
NOT_ASKED = ("model", "judge")  # metrics that ask the model itself, or a judge who is paid, are not taken again
COLUMNS = {"before": "Before", "adapter": "Adapter", "exported": "Exported"}


@dataclass(frozen=True)
class Measured:
    """The numbers of metrics.json, by column, and how many exported answers are word for word those of the run."""

    numbers: Mapping[str, Mapping[str, Any]]
    judges: Mapping[str, str | None]
    same: int
    asked: int

    @property
    def worse(self) -> dict[str, str]:
        """Of the guarded numbers, those that fell by more than DROP or could not be had, each with a sentence."""
        told = {}
        for key in GUARDED:
            before, after = (self.numbers[column].get(key) for column in ("adapter", "exported"))
            if before is not None and after is None:
                told[key] = (
                    f"{label(key)} could not be judged of the export, {before:.3f} of the adapter: whether it tells "
                    "again is not known"
                )
            elif before is not None and before - after > DROP:
                told[key] = (
                    f"{label(key)} fell from {before:.3f} to {after:.3f}: the export tells again what the adapter had "
                    "made the model forget"
                )
        return told

    @property
    def lost(self) -> list[str]:
        """These sentences alone."""
        return [*self.worse.values()]

    def table(self) -> Table:
        """The headline numbers, before, with the adapter, and exported."""
        there = {key for numbers in self.numbers.values() for key in numbers} - NOT_METRICS
        rows = [
            Row(label(key), {
                column: measured(
                    numbers.get(key), (numbers.get("intervals") or {}).get(key),
                    "bad" if column == "exported" and key in self.worse else "",
                )
                for column, numbers in self.numbers.items()
            }, key)
            for key in HEADLINE if key in there
        ]  # fmt: skip
        return Table("Metric", COLUMNS, rows)


def check_evaluated(run: Run) -> None:
    """Raises RecipeError where the run was not evaluated: there is nothing to compare with."""
    if not (run.folder / "metrics.json").exists():
        raise RecipeError(
            f"export: {run.folder} was not evaluated yet, so there is nothing to compare the export with; give the "
            "command again that began it, or add --no-check"
        )


def measure(run: Run, exported: Model, adapters: Mapping[str, Path]) -> Measured:
    """Loads the exported model, with the adapters on it that were not merged, asks it, and judges its answers.

    The run's own answers are judged beside them, by the same judges: those of metrics.json may be of an older version.
    """
    rows = read_rows(run.folder / "samples.jsonl")
    answers = _answers(run, rows, exported, adapters)
    free_memory()
    given = {(row["split"], row["id"]): row["unlearned"] for row in rows}
    same = sum(row.generated_response == given[row.split, row.id] for split in answers.values() for row in split)
    compared = {"before": _given(rows, "vanilla"), "adapter": _given(rows, "unlearned"), "exported": answers}
    names = [name for name in run.recipe.evaluate.metrics if not {*METRICS[name].needs} & {*NOT_ASKED}]
    judges = make_evaluators(run.recipe, lambda: run.model("vanilla"))
    numbers = {column: evaluate(each, judges, names)[0] for column, each in compared.items()}
    run.unload_models()
    return Measured(numbers, judges.names(), same, len(rows))


def _given(rows: list[dict[str, Any]], model: str) -> dict[str, list[Answer]]:
    """The answers of samples.jsonl that a model of the run gave, by split."""
    answers: dict[str, list[Answer]] = {}
    for row in rows:
        answers.setdefault(row["split"], []).append(Answer(
            row["id"], model, row["split"], row["query"], row["ground_truth"], row[model], row["finished"][model]
        ))  # fmt: skip
    return answers


def _answers(
    run: Run, rows: list[dict[str, Any]], exported: Model, adapters: Mapping[str, Path]
) -> dict[str, list[Answer]]:
    """The exported model's answers, by split, to the questions that the run evaluated."""
    run.unload_models()  # one model in memory
    loaded = backends.load(exported, run.recipe.seed)
    for name, folder in adapters.items():
        run.put_on(loaded, name, folder, "--check" if name == UNLEARNED else "")
    decoding = Decoding.of(run.recipe.generate, run.recipe.seed)
    answers: dict[str, list[Answer]] = {}
    for split in dict.fromkeys(row["split"] for row in rows):
        asked = [row for row in rows if row["split"] == split]
        prompts = [question_ids(loaded.tokenizer, row["query"]) for row in asked]
        made = answer_prompts(loaded, prompts, tuple(adapters), decoding)
        made = [answer.held_to(row["query"], row["ground_truth"]) for row, answer in zip(asked, made, strict=True)]
        answers[split] = [
            Answer(row["id"], "unlearned", split, row["query"], row["ground_truth"], answer.text, answer.finished)
            for row, answer in zip(asked, made, strict=True)
        ]
    return answers
