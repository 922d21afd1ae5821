"""The report as Markdown: for a repository, an issue or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.report import RunResults
from relearn_lite.report.analysis import markdown as analysis_markdown
from relearn_lite.report.attacks import markdown as attacks_markdown
from relearn_lite.report.augmentation import markdown as augmentation_markdown
from relearn_lite.report.cost import augmentation, stages, surroundings
from relearn_lite.report.curve import LABELS, terms
from relearn_lite.report.markdown_text import fenced, inline
from relearn_lite.report.rows import Row, judged_by, number, rows
from relearn_lite.report.samples import Card, Piece, cards
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import verdict
from relearn_lite.unlearn.diagnostics import explain

MOST_CARDS = 10  # of the forget and of the retain questions each; the page has them all
LONGEST = 600  # characters of one answer


def render_markdown(results: RunResults, mask: bool = False) -> str:
    """The report as one Markdown text. `mask`: names, numbers and addresses of forget questions are covered."""
    manifest = results.manifest
    parts = [
        f"# Unlearning report, {inline(results.name)}",
        verdict(results.metrics, results.answered()),
        inline(judged_by(results.metrics)),
        _metrics(results),
        *_answers(cards(results.samples, mask), mask),
        attacks_markdown(results.attacks, mask, _table),
        analysis_markdown(results.analysis, mask, _table),
        "## Training",
        *map(inline, explain(results.losses)),
        _losses(results),
        _facts("## Training examples made", augmentation(manifest)),
        augmentation_markdown(results.augmentation, _table),
        "## Cost",
        _table(("Stage", "Time", "Peak memory"), [(s.name, s.time, s.memory) for s in stages(manifest)], "-::"),
        _facts("## What it ran on", surroundings(manifest)),
        "## Recipe",
        fenced(visible(results.recipe, 20_000) or "not recorded", "yaml"),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _metrics(results: RunResults) -> str:
    lines = rows(results.metrics, results.answered())
    legend = "↑ higher is better, ↓ lower is better, → nearer is better, then the ideal. "
    if results.metrics.get("unlearned"):
        title = "## Before and after"
        table = _table(
            ("Metric", "Vanilla", "Unlearned", "Good is", "95 % interval", "Change", "95 % interval", "Note"),
            [
                (f"{r.label} ({r.key})", r.before, r.after, r.goal, r.after_interval, r.change, r.change_interval,
                 _note(r)) for r in lines
            ],
            "-::-:::-",
        )  # fmt: skip
        legend += (
            "The first interval is that of the unlearned model. Change: on the questions that have a value before and "
            "after; where its interval holds 0 it may be chance. "
        )
    else:
        title = "## As it is"
        table = _table(
            ("Metric", "Value", "Good is", "95 % interval", "Note"),
            [(f"{r.label} ({r.key})", r.before, r.goal, r.before_interval, _note(r)) for r in lines],
            "-:-:-",
        )
    legend += "— could not be had; missing answers are left out of the mean."
    return f"{title}\n\n{table}\n\n{legend}"


def _note(row: Row) -> str:
    return "; ".join(part for part in (row.missing, row.note) if part)


def _answers(shown: Sequence[Card], mask: bool) -> list[str]:
    parts = ["## Answers, the worst first"] if shown else []
    if mask and shown:
        parts.append("Masked: names, numbers and addresses in forget questions and their answers are covered.")
    for is_forget, title in ((True, "Forget questions"), (False, "Retain questions")):
        side = [card for card in shown if card.is_forget == is_forget]
        if side:
            parts.append(f"### {title} ({min(len(side), MOST_CARDS)} of {len(side)})")
            parts += [_card(card) for card in side[:MOST_CARDS]]
    return parts


def _card(card: Card) -> str:
    state = {"unjudged": "not judged"}.get(card.status, card.status) + ("" if card.finished else ", not finished")
    texts = {"Original answer": _plain(card.truth)}
    if card.before is None:
        texts |= {"Answer": _plain(card.after)}
    else:
        texts |= {"Before (vanilla)": card.before, "After (unlearned)": _plain(card.after)}
    told = "\n\n".join(f"{title}:\n\n{fenced(_short(text))}" for title, text in texts.items())
    return f"**{inline(card.id)}, {state}:** {inline(_short(card.query))}\n\n{told}"


def _plain(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _losses(results: RunResults) -> str:
    lines = []
    for term in terms(results.losses):
        values = [row[term] for row in results.losses if row.get(term) is not None]
        if values:
            lines.append((LABELS.get(term, term), number(values[0]), number(values[-1])))
    return _table(("Loss", "First step", "Last step"), lines, "-::") or "No losses were recorded."


def _facts(title: str, lines: Sequence[tuple[str, str]]) -> str:
    items = "\n".join(f"- {inline(visible(what))}: {inline(visible(value))}" for what, value in lines)
    return f"{title}\n\n{items}" if items else ""


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], sides: str) -> str:
    """A pipe table; `sides`: one character a column, `:` for numbers (right). Empty without lines."""
    rule = "|".join("---:" if side == ":" else "---" for side in sides)
    body = ["|".join(inline(visible(cell)) for cell in line) for line in lines]
    return "\n".join(f"|{line}|" for line in ("|".join(head), rule, *body)) if lines else ""
