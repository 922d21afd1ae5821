"""Stage collect: from a name, a topic or documents in `data.forget` to the questions that are forgotten and kept.

forget.jsonl and retain.jsonl hold what is used, a row a question, to be edited or deleted by anyone: a later start
reads them. collect.json has what the model does not know too, and who judged; review.html shows all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relearn_lite.collect import proposals
from relearn_lite.collect.collect import UNKNOWN, Asked, Found, others_than
from relearn_lite.collect.collect import collect as find
from relearn_lite.collect.facets import asked_name, person_wordings, without_near_duplicates
from relearn_lite.collect.from_documents import Reading, asked_about, read
from relearn_lite.collect.knowledge import Asking, Verdict, find_known
from relearn_lite.collect.topics import kind_of, topic_wordings
from relearn_lite.core.files import write_json, write_jsonl, write_text
from relearn_lite.core.records import QA, Answer, Collected
from relearn_lite.evaluate.choose import knowledge_evaluators
from relearn_lite.evaluate.known import tells
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe
from relearn_lite.report.console import stage_progress
from relearn_lite.report.review import collected, review_page
from relearn_lite.writers import Writer, make_writer
from relearn_lite.writers.reply_cache import ReplyCache
from relearn_lite.writers.subject import find_subject

MOST_NAMED = 3  # documents in a title
MOST_NEIGHBOURS = 12  # that are found in data.retain: more would not protect better, and each is asked everything


def collect(run: Run) -> dict[str, Any]:
    """forget.jsonl, retain.jsonl, collect.json and review.html."""
    recipe, loaded = run.recipe, run.model("vanilla")
    section, source = recipe.collect, recipe.data.forget
    reading = _reading(run) if source.documents else None
    subjects = reading.asked if reading else [_asked(run)]
    judges = knowledge_evaluators(recipe, lambda: run.model("vanilla"))
    asking = Asking(recipe.generate.max_new_tokens, recipe.generate.batch_size, recipe.seed, section.draws,
                    section.agree, section.first_sentence)  # fmt: skip

    def same(answers: Sequence[Answer]) -> list[bool | None]:
        return tells(answers, judges) if answers else []

    def ask(
        whose: str, questions: Mapping[str, str], quotes: Mapping[str, Sequence[str]]
    ) -> Mapping[str, Verdict]:  # fmt: skip
        with stage_progress(f"collect, {whose}", len(questions), run.quiet) as advance:
            return find_known(loaded, questions, asking, run.folder / "collect" / whose, same, advance, quotes)

    neighbours = others_than([each.name for each in subjects], named_neighbours(recipe, run.given["retain"]))
    found = find(subjects, neighbours, ask, same, section.held_out, recipe.seed)
    judged_by = {name: judge for name, judge in judges.names().items() if judge}
    summary = _write(run.folder, source.about or _titled(reading.documents), found, reading, judged_by)
    run.say(f"collect: {collected(summary)} {run.folder / 'review.html'} shows all of it")
    return {"asked": len(found.forget), "known": found.known}


def _asked(run: Run) -> Asked:
    """A name or a topic is asked everything that rules know of a person or of its kind, and what a model proposes."""
    source, name = run.recipe.data.forget, run.recipe.data.forget.about
    proposing = run.recipe.collect.proposals is not None
    wordings = list(topic_wordings(kind_of(source, proposing)) if source.topic else person_wordings())
    if proposing:
        facets = list(dict.fromkeys(wording.facet for wording in wordings))
        with _proposing(run) as (writer, advance):
            proposed = proposals.about(name, source.intro, facets, writer, advance)
        if not proposed:
            run.say(
                f"collect.proposals: {writer.name} wrote no question about {name} that can be used; what it wrote is "
                f"in {run.folder / 'collect' / 'proposals.jsonl'}; a larger chat model may"
            )
        wordings += proposed
    called = name if source.topic else asked_name(name, source.intro)
    return Asked(name, called, without_near_duplicates(wordings, name), is_person=not source.topic)


def _reading(run: Run) -> Reading:
    """What documents come to, with the questions that a model proposes of them."""
    source, proposing = run.recipe.data.forget, run.recipe.collect.proposals is not None
    reading = read(source, proposing)
    if not proposing:
        return reading
    with _proposing(run) as (writer, advance):
        proposed = proposals.of_passages(reading.blocks, source.subject or "", writer, advance)
    return asked_about(reading, proposed, source.intro)


@contextmanager
def _proposing(run: Run) -> Iterator[tuple[Writer, Callable[[float], None]]]:
    """The model that proposes questions, whose replies are kept one by one, and what it tells how far it is."""
    writer = make_writer(run.recipe.collect.proposals, "collect.proposals", run.recipe, lambda: run.model("vanilla"))
    writer.replies = ReplyCache(run.folder / "collect" / "proposals.jsonl")
    with stage_progress(f"collect, proposals ({writer.name})", 1, run.quiet) as advance:
        yield writer, advance


def named_neighbours(recipe: Recipe, retain: Sequence[QA]) -> list[str]:
    """Others of the same kind: as the recipe names them, else those that most of the rows to be kept are about."""
    if recipe.collect.neighbours:
        return recipe.collect.neighbours
    about = Counter(filter(None, (find_subject(qa.question) for qa in retain)))
    return [name for name, _ in about.most_common(MOST_NEIGHBOURS)]


def _write(
    folder: Path, subject: str, found: Found, reading: Reading | None, judged_by: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    """The files of the stage, and collect.json; forget.jsonl last, since it says that all is there."""
    summary = {
        "subject": subject, "asked": len(found.forget), "known": found.known,
        "parts": {side: dict(Counter(row.part for row in getattr(found, side))) for side in ("forget", "retain")},
        "judged_by": dict(judged_by), **(_documents(reading, found) if reading else {}),
        "unknown": [asdict(row) for row in (*found.forget, *found.retain) if row.part == UNKNOWN],
    }  # fmt: skip
    write_json(folder / "collect.json", summary)
    write_text(folder / "review.html", review_page(summary, found.forget, found.retain))
    write_jsonl(folder / "retain.jsonl", _known(found.retain))
    write_jsonl(folder / "forget.jsonl", _known(found.forget))
    return summary


def _documents(reading: Reading, found: Found) -> dict[str, Any]:
    """What documents say, and whether the model knows it: it told it in answer to one question at least."""
    statements = [asdict(each) | {"known": each.text in found.told} for each in reading.statements]
    left_out = [asdict(each) for each in reading.left_out]
    return {"documents": reading.documents, "left_out": left_out, "statements": statements}


def _titled(documents: Sequence[str]) -> str:
    more = len(documents) - MOST_NAMED
    return ", ".join(documents[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _known(rows: Sequence[Collected]) -> list[Collected]:
    return [row for row in rows if row.part != UNKNOWN]
