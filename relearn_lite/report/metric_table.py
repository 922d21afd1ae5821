"""The table of metrics: each number before and after, its name for people, and who judged."""

from __future__ import annotations

from typing import Any

from relearn_lite.metrics import EARLIER, PARAPHRASE, key_of
from relearn_lite.report.tables import Cell, Row, Table, changed, measured
from relearn_lite.report.texts import texts

HARDLY = 0.1  # a change smaller than this share of the vanilla model's value is not coloured
# What a reader wants first, in this order; the other numbers explain these.
HEADLINE = ("kfr", "leak", "krr", "kept_general", "right_general", "kfr_earlier", "leak_earlier", "kfr_paraphrase",
            "leak_paraphrase", "krr_paraphrase", "ls_forget", "ls_retain", "ls_general", "rougeL_forget",
            "rougeL_retain", "forget_score", "retain_score")  # fmt: skip
NOT_METRICS = frozenset({"missing", "intervals", "reasons", "notes", "groups"})
SPLIT_OF = {"kfr": "forget", "leak": "forget", "krr": "retain", "forgetting": "forget", "retention": "retain"}


def metric_table(metrics: dict[str, Any], answered: dict[str, int] | None = None) -> Table:
    """One row a metric that a model has: the headline, then the others as metrics.json has them.

    Columns: vanilla, unlearned and change, or value where one model was measured; good. `answered`: how many questions
    each split has.
    """
    models = {name: metrics[name] for name in ("vanilla", "unlearned") if metrics.get(name)}
    keys = [key for model in models.values() for key in (*model, *(model.get("missing") or {}))]
    ordered = dict.fromkeys([*(key for key in HEADLINE if key in keys), *keys])
    changes = metrics.get("difference") or {}
    rows = [_row(key, models, changes.get(key), answered or {}) for key in ordered if key not in NOT_METRICS]
    columns = {"vanilla": "Vanilla", "unlearned": "Unlearned", "change": "Change", "good": "Good is"}
    if "unlearned" not in models:
        columns = {"vanilla": "Value", "good": "Good is"}
    return Table("Metric", columns, rows, left=("good",))


def headline(table: Table) -> tuple[list[Row], list[Row]]:
    """The rows of the headline and the others; all of them are headline where none is."""
    first = [row for row in table.rows if row.label in HEADLINE]
    return (first, [row for row in table.rows if row not in first]) if first else (list(table.rows), [])


def _row(key: str, models: dict[str, dict[str, Any]], change: dict[str, Any] | None, answered: dict[str, int]) -> Row:
    declared, old, new = key_of(key), *((models.get(name) or {}).get(key) for name in ("vanilla", "unlearned"))
    moved = declared and old is not None and new is not None and abs(new - old) > HARDLY * abs(old)
    cells = {name: measured(model.get(key), (model.get("intervals") or {}).get(key)) for name, model in models.items()}
    if moved:
        tone = {True: "good", False: "bad", None: ""}[declared.improved(old, new)]
        cells["unlearned"] = measured(new, cells["unlearned"].bounds, tone)
    cells["change"] = changed(change) if change else Cell("")
    cells["good"] = Cell("not known")
    if declared:
        cells["good"] = Cell(f"{arrow(key)} {'as vanilla' if declared.ideal is None else f'{declared.ideal:g}'}")
    notes = [model["notes"][key] for model in reversed(models.values()) if key in (model.get("notes") or {})]
    when = {"vanilla": "before", "unlearned": "after"}
    missing = missing_words({when[name]: model for name, model in models.items()}, key, answered.get(split_of(key), 0))
    reading = [*([declared.description] if declared else []), *notes[:1]]
    return Row(label(key), cells, key, reading=tuple(reading), notes=(missing,) if missing else ())


def arrow(key: str) -> str:
    """↑ where higher is better, ↓ where lower is, → where nearer to the ideal is; empty for what is no metric."""
    declared = key_of(key)
    return "" if declared is None else {"higher": "↑", "lower": "↓", "closer": "→"}[declared.good]


def split_of(key: str) -> str:
    """The questions a metric is taken over: rougeL_forget -> forget, kfr_paraphrase -> forget_paraphrase."""
    if key == "kept_general":
        return "control"
    if key.endswith(EARLIER):
        return f"forget{EARLIER}"
    name = key.removesuffix(PARAPHRASE)
    if name in SPLIT_OF:
        return SPLIT_OF[name] + key.removeprefix(name)
    side = "forget" if "forget" in key else "retain" if "retain" in key else ""
    return f"{side}{PARAPHRASE}" if side and key.endswith(PARAPHRASE) else side


def label(key: str) -> str:
    """`rougeL_retain` -> `ROUGE-L recall, retain`; a key that has no name for people stays as it is."""
    names = texts("metrics")
    if key in names["labels"]:
        return names["labels"][key]
    for ending, words in names["endings"].items():
        start = key.removesuffix(ending)
        if start != key and label(start) != start:
            return f"{label(start)}, {words}"
    return key


def missing_words(models: dict[str, dict[str, Any]], key: str, total: int) -> str:
    """`12 of 72 missing after`, or why there is no value at all; empty where nothing is missing. models: by when."""
    told = []
    for when, model in models.items():
        count, reason = (model.get("missing") or {}).get(key, 0), (model.get("reasons") or {}).get(key)
        if count or reason:
            words = reason or f"{count}{f' of {total}' if total else ''} missing"
            told.append(words if len(models) == 1 else f"{when}: {words}")
    return "; ".join(told)


def judged_by(metrics: dict[str, Any]) -> str:
    """Who judged, and whether the numbers compare with the paper's."""
    if metrics.get("comparable_with_paper"):
        return f"{judges(metrics)} KFR, KRR, LS and ROUGE compare with the ReLearn paper's; other numbers do not."
    return (
        f"{judges(metrics)} These numbers do not compare with the ReLearn paper's: compare them only with runs judged "
        "alike."
    )


def judges(metrics: dict[str, Any]) -> str:
    """Who judged, role by role where somebody did."""
    who = metrics.get("evaluators") or {}
    names = ", ".join(f"{name} ({role.replace('_', ' ')})" for role, name in who.items() if name)
    return f"Judged by {names}." if names else "Who judged is not recorded."
