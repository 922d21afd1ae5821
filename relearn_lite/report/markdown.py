"""Reports as Markdown: for a repository, an issue or a pull request. Pictures are left to the page."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.report.escaping import fenced, inline
from relearn_lite.report.metric_table import judged_by
from relearn_lite.report.run_report import sections
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.samples import Card
from relearn_lite.report.sections import Cards, Facts, Folded, Part, Section, Text
from relearn_lite.report.tables import Table
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import verdict

MOST_CARDS = 10  # of the forget and of the retain questions each; the page has them all
LONGEST = 600  # characters of one answer


def render_markdown(results: RunResults, mask: bool = False) -> str:
    """The report as one Markdown text. `mask`: names, numbers and addresses of forget questions are covered."""
    told = [verdict(results.metrics, results.answered()), judged_by(results.metrics), *[texts("run")["masked"]] * mask]
    return document(f"Unlearning report, {results.name}", told, sections(results, mask))


def document(title: str, told: Sequence[str], parts: Sequence[Section]) -> str:
    """A text of sections; those that hold nothing but pictures are left out."""
    drawn = [f"# {inline(title)}", *map(inline, told)]
    for section in parts:
        texts = [text for part in section.parts if (text := _part(part))]
        drawn += [f"## {inline(section.title)}", *texts] if texts else []
    return "\n\n".join(drawn) + "\n"


def _part(part: Part | None) -> str:
    match part:
        case str():
            return inline(part)
        case Text(kind="heading"):
            return f"### {inline(part.text)}"
        case Text(kind="code"):
            return fenced(visible(part.text, 20_000), "yaml")
        case Text():
            return inline(part.text)
        case Facts():
            return "\n".join(f"- {inline(what)}: {inline(value)}" for what, value in part.pairs)
        case Table():
            return part.markdown()
        case Folded():
            return f"### {inline(part.summary)}\n\n{_part(part.part)}"
        case Cards():
            return _cards(part.cards)
    return ""


def _cards(cards: Sequence[Card]) -> str:
    drawn = []
    for is_forget, title in ((True, "Forget questions"), (False, "Retain questions")):
        side = [card for card in cards if card.is_forget == is_forget]
        if side:
            drawn.append(f"### {title} ({min(len(side), MOST_CARDS)} of {len(side)})")
            drawn += [_card(card) for card in side[:MOST_CARDS]]
    return "\n\n".join(drawn)


def _card(card: Card) -> str:
    state = {"unjudged": "not judged"}.get(card.status, card.status) + ("" if card.finished else ", not finished")
    head = f"**{inline(f'{card.id}, {state}, {card.told}')}:** {inline(_short(card.query))}"
    texts = [f"{inline(answer.who)}:\n\n{fenced(_short(answer.text))}" for answer in card.answers]
    return "\n\n".join([head, *texts, *([inline("; ".join(card.scores))] if card.scores else [])])


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
