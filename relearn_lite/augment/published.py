"""Writes augmented data in the format that the code of the paper (zjunlp/unlearn) trains on."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl, write_json, write_jsonl
from relearn_lite.core.records import Variant

COLUMNS = {"tofu": ("question", "answer"), "knowundo": ("text", "labels")}


def export_augmented(run: Path, target: Path, columns: str = "tofu") -> int:
    """Writes augmented.jsonl of a run folder to `target` and returns the number of rows.

    One object a row, of question and answer (`tofu`) or text and labels (`knowundo`); .json gives a list, .jsonl an
    object a line. Raises RecipeError where the run has no augmented data, the name ends otherwise, or is taken.
    """
    source = run / "augmented.jsonl"
    if not source.is_file():
        raise RecipeError(f"export: {run} has no augmented.jsonl; give the folder of a run whose augment stage is done")
    if target.suffix not in (".json", ".jsonl"):
        raise RecipeError(f"--augmented: found {target.name}, allowed: a name that ends in .json or .jsonl")
    if target.exists():
        raise RecipeError(f"--augmented: {target} is there already, and nothing is written over; give another name")
    question, answer = COLUMNS[columns]
    rows = [{question: v.prompt, answer: v.target} for v in read_jsonl(source, Variant)]
    write = write_json if target.suffix == ".json" else write_jsonl
    write(target, rows)
    return len(rows)
