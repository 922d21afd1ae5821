"""Runs the attacks that a recipe asks for, one after the other, with one model in memory; then has them judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.attacks import scoring
from relearn_lite.attacks.asking import SIDES, Ask, Attempt, Target, ask, plainly
from relearn_lite.attacks.jailbreaks import jailbreaks, persuaded
from relearn_lite.attacks.precision import Parts, Unavailable, held
from relearn_lite.attacks.relearning import Plan, points, relearn
from relearn_lite.attacks.sampling import sample
from relearn_lite.attacks.wordings import wordings
from relearn_lite.core.files import read_jsonl, write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.unlearn.selection import spread

if TYPE_CHECKING:
    from relearn_lite.judges import Evaluators
    from relearn_lite.recipe import Recipe
    from relearn_lite.writers import Writer

RELEARNING, PRECISION = "relearning_", "precision"


@dataclass(frozen=True)
class Job:
    """What the attacks need of a run.

    folder: where answers go. trained: prompts of the augmentation. parts: of the attacked model. hold: loads it, or
    hands over the one in memory. let_go: takes it out of memory. writer, judges: make them, which may load a model too.
    progress: (what, how many) -> a context that is told how many more are done.
    """

    recipe: Recipe
    data: Mapping[str, Sequence[QA]]
    folder: Path
    trained: frozenset[str]
    parts: Parts
    hold: Callable[[], Target]
    let_go: Callable[[], None]
    writer: Callable[[], Writer]
    judges: Callable[[], Evaluators]
    progress: Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

    @property
    def questions(self) -> dict[str, list[QA]]:
        """The questions that every attack asks, by side."""
        return {side: spread(self.recipe.attacks.questions, self.data[f"{side}_eval"]) for side in SIDES}

    @property
    def plan(self) -> Plan:
        """What relearning teaches and asks."""
        sources = {"forget": self.data["forget"], "retain": self.data["retain"], "unrelated": self.data["generic"]}
        return Plan.of(self.recipe.attacks.relearn, sources, self.questions)

    def file(self, attack: str) -> Path:
        return self.folder / f"{attack}.jsonl"

    def ask(self, target: Target, attack: str, asks: Sequence[Ask]) -> None:
        with self.progress(attack, len(asks)) as advance:
            ask(target, asks, self.file(attack), advance)


def run(job: Job) -> dict[str, Any]:
    """Everything, as attacks.json holds it."""
    settings = job.recipe.attacks
    asks = {"plain": plainly(job.questions)}
    if settings.paraphrase:
        asks["paraphrase"] = _wordings(job)
    if settings.jailbreak:
        asks["jailbreak"] = persuaded(job.questions)
    target = job.hold()
    for attack, these in asks.items():
        job.ask(target, attack, these)
    files = list(asks)
    if settings.sampling:
        draws = job.recipe.evaluate.privacy.samples
        total = draws * len(job.questions["forget"]) + len(job.questions["retain"])
        with job.progress("sampling", total) as advance:
            sample(target, job.questions, draws, job.file("sampling"), advance)
        files.append("sampling")
    reasons: dict[tuple[str, str], str] = {}
    files += _relearn(job, target, reasons)
    del target
    job.let_go()
    precisions = _precision(job, reasons)
    attempts = {attack: list(read_jsonl(job.file(attack), Attempt)) for attack in files}
    attempts |= {PRECISION: precisions} if settings.precision else {}
    return _tell(job, scoring.judge(attempts, job.judges()), reasons)


@dataclass(frozen=True)
class _Wording:
    """A question in other words, as it is kept: a writer on a model is not asked twice."""

    id: str
    side: str
    way: str
    question: str


def _wordings(job: Job) -> list[Ask]:
    path = job.folder / "wordings.jsonl"
    if not path.exists():
        # Another seed than that of the augmentation, whose variants the model was trained on.
        made = wordings(job.questions, job.writer(), job.recipe.augment, job.recipe.seed + 1, job.trained)
        write_jsonl(path, [_Wording(each.qa.id, each.side, each.way, each.turns[0]) for each in made])
    asked = {(side, qa.id): qa for side, rows in job.questions.items() for qa in rows}
    return [Ask(asked[w.side, w.id], w.side, w.way, (w.question,)) for w in read_jsonl(path, _Wording)]


def _relearn(job: Job, target: Target, reasons: dict[tuple[str, str], str]) -> list[str]:
    """Draws the curves; returns the attacks that have one."""
    settings = job.recipe.attacks.relearn
    if settings is None:
        return []
    plan = job.plan
    reasons |= {(RELEARNING + source, ""): why for source in plan.examples if (why := plan.why_not(source))}
    sources = [source for source in plan.examples if (RELEARNING + source, "") not in reasons]
    with job.progress("relearning, points of curves", len(sources) * len(points(settings))) as advance:
        for source in sources:
            file = job.file(RELEARNING + source)
            relearn(target, plan, source, settings, job.recipe.trainer, file, advance)
    return [RELEARNING + source for source in sources]


def _precision(job: Job, reasons: dict[tuple[str, str], str]) -> list[Attempt]:
    """Asks the model held in each way; what this machine cannot do goes to `reasons`."""
    attempts: list[Attempt] = []
    ways = list(dict.fromkeys(job.recipe.attacks.precision))
    if not ways:
        return attempts
    with job.progress(PRECISION, len(ways) * sum(map(len, job.questions.values()))) as advance:
        for way in ways:
            file = job.file(f"{PRECISION}_{way}")
            try:
                _ask_held(job, way, file, advance)
            except Unavailable as why:
                reasons[PRECISION, way] = str(why)
            else:
                attempts += read_jsonl(file, Attempt)
    return attempts


def _ask_held(job: Job, way: str, file: Path, advance: Callable[[int], None]) -> None:
    asks = plainly(job.questions, way)
    if file.exists():
        advance(len(asks))
        return
    with held(job.parts, way) as (loaded, adapters):
        ask(Target(loaded, adapters, job.recipe.generate, job.recipe.seed), asks, file, advance)
        del loaded


def _tell(job: Job, judged: list[scoring.Judged], reasons: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    settings, privacy = job.recipe.attacks, job.recipe.evaluate.privacy
    titles = {prompt.name: prompt.title for prompt in jailbreaks()}
    (plain,) = scoring.by_way(judged, "plain", {})
    rows: list[dict[str, Any]] = []
    for attack in ("paraphrase", "jailbreak"):
        if getattr(settings, attack):
            rows += [*scoring.by_way(judged, attack, titles), scoring.worst(judged, [attack], attack)]
    if settings.sampling:
        rows.append(scoring.sampled(judged, privacy.k, privacy.samples))
    if settings.precision:
        lines = {line["way"]: line for line in scoring.by_way(judged, PRECISION, {})}
        rows += [
            lines.get(way) or scoring.unavailable(PRECISION, way, reasons[PRECISION, way])
            for way in dict.fromkeys(settings.precision)
        ]
        rows.append(scoring.worst(judged, [PRECISION], PRECISION))
    asked_only = ["plain", "paraphrase", "jailbreak", "sampling", PRECISION]
    return {
        "questions": plain["questions"], "plain": plain, "attacks": rows,
        "any": scoring.worst(judged, asked_only, "any"),
        "relearning": _curves(job, judged, reasons), "leaks": scoring.leaks(judged),
    }  # fmt: skip


def _curves(
    job: Job, judged: list[scoring.Judged], reasons: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, Any]]:
    """By source of the examples: their ids and the curve, or the reason why there is none."""
    if job.recipe.attacks.relearn is None:
        return {}
    plan, told = job.plan, {}
    ids = {side: {qa.id for qa in rows} for side, rows in plan.questions.items()}
    for source, examples in plan.examples.items():
        attack = RELEARNING + source
        reason = reasons.get((attack, ""))
        drawn = {} if reason else scoring.curve(judged, attack, ids)
        told[source] = {"examples": [qa.id for qa in examples], "reason": reason, **drawn}
    return told
