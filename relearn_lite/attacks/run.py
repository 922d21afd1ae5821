"""Runs the attacks that a recipe asks for, one after the other, with one model in memory; then has them judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relearn_lite.attacks import scoring
from relearn_lite.attacks.answering import Advance, AttackAnswer, AttackPrompt, Target, collect_answers, plain_prompts
from relearn_lite.attacks.jailbreaks import jailbreak_prompts, jailbreaks
from relearn_lite.attacks.paraphrases import paraphrase_prompts
from relearn_lite.attacks.precision import AttackedModel, Unavailable, loaded_in
from relearn_lite.attacks.relearning import RelearningPlan, measured_steps, relearn
from relearn_lite.attacks.sampling import sample_answers
from relearn_lite.core.files import read_jsonl, write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.recipe import Recipe
from relearn_lite.unlearn.selection import spread
from relearn_lite.writers import Writer


@dataclass(frozen=True)
class AttackJob:
    """What the attacks need of a run.

    folder: where answers go. trained: prompts that were trained on. load: gives the attacked model, loading it if it is
    not in memory; unload: takes it out of memory. writer, judges: make them, which may load a model too. progress:
    (what, how many) -> a context that is told how many more are done.
    """

    recipe: Recipe
    data: Mapping[str, Sequence[QA]]
    folder: Path
    trained: frozenset[str]
    attacked: AttackedModel
    load: Callable[[], Target]
    unload: Callable[[], None]
    writer: Callable[[], Writer]
    judges: Callable[[], Evaluators]
    progress: Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

    @property
    def questions(self) -> dict[str, list[QA]]:
        """The questions that every attack asks, by side."""
        return {side: spread(self.recipe.attacks.questions, self.data[f"{side}_eval"]) for side in SIDES}

    @property
    def relearning(self) -> RelearningPlan:
        """What relearning teaches and asks."""
        general = [qa for qa in self.data["generic"] if qa.answer]  # `generic: self` has answers in augment only
        sources = {"forget": self.data["forget"], "retain": self.data["retain"], "unrelated": general}
        return RelearningPlan.of(self.recipe.attacks.relearn, sources, self.questions)

    def file(self, attack: str) -> Path:
        return self.folder / f"{attack}.jsonl"


def run_attacks(job: AttackJob) -> dict[str, Any]:
    """Everything, as attacks.json holds it."""
    settings = job.recipe.attacks
    prompts = {"plain": plain_prompts(job.questions)}
    if settings.paraphrase:
        prompts["paraphrase"] = _paraphrases(job)
    if settings.jailbreak:
        prompts["jailbreak"] = jailbreak_prompts(job.questions)
    files = {attack: [job.file(attack)] for attack in prompts}  # attack -> where its answers are
    target = job.load()
    for attack, asked in prompts.items():
        with job.progress(attack, len(asked)) as advance:
            collect_answers(target, asked, job.file(attack), advance)
    if settings.sampling:
        draws, questions = job.recipe.evaluate.privacy.samples, job.questions
        with job.progress("sampling", draws * len(questions["forget"]) + len(questions["retain"])) as advance:
            sample_answers(target, questions, draws, job.file("sampling"), advance)
        files["sampling"] = [job.file("sampling")]
    if settings.relearn:
        files |= _relearn(job, target)
    del target
    job.unload()
    reasons: dict[str, str] = {}
    if settings.precision:
        reasons = _other_precisions(job)
        done = (way for way in dict.fromkeys(settings.precision) if way not in reasons)
        files["precision"] = [job.file(f"precision_{way}") for way in done]
    answers = {
        attack: [answer for file in made for answer in read_jsonl(file, AttackAnswer)] for attack, made in files.items()
    }
    wordings = {(side, qa.id): qa.paraphrase for side, rows in job.questions.items() for qa in rows}
    return _results(job, scoring.judge(answers, job.judges(), wordings), reasons)


def _paraphrases(job: AttackJob) -> list[AttackPrompt]:
    """Kept in a file: a writer on a model is not asked twice."""
    path = job.folder / "paraphrases.jsonl"
    if not path.exists():
        # Another seed than that of the augmentation, whose variants the model was trained on.
        seed = job.recipe.seed + 1
        write_jsonl(path, paraphrase_prompts(job.questions, job.writer(), job.recipe.augment, seed, job.trained))
    return list(read_jsonl(path, AttackPrompt))


def _relearn(job: AttackJob, target: Target) -> dict[str, list[Path]]:
    """Measures the curves; -> attack, and the file of its answers, by each source that has a curve."""
    plan = job.relearning
    files = {source: job.file(f"relearning_{source}") for source in plan.examples if not plan.why_not(source)}
    with job.progress("relearning, points of curves", len(files) * len(measured_steps(plan.settings))) as advance:
        for source, file in files.items():
            relearn(target, plan, source, job.recipe.trainer, file, advance)
    return {f"relearning_{source}": [file] for source, file in files.items()}


def _other_precisions(job: AttackJob) -> dict[str, str]:
    """Asks the model in each precision; -> why, for those that this machine or this model does not allow."""
    reasons: dict[str, str] = {}
    ways = dict.fromkeys(job.recipe.attacks.precision)
    with job.progress("precision", len(ways) * sum(map(len, job.questions.values()))) as advance:
        for way in ways:
            prompts, file = plain_prompts(job.questions, way), job.file(f"precision_{way}")
            if file.exists():
                advance(len(prompts))
                continue
            try:
                _ask_in(way, job, prompts, file, advance)
            except Unavailable as why:
                reasons[way] = str(why)
    return reasons


def _ask_in(precision: str, job: AttackJob, prompts: Sequence[AttackPrompt], file: Path, advance: Advance) -> None:
    """A function of its own: its frame, and with it the model, is gone when a failure has been noted."""
    with loaded_in(precision, job.attacked) as (loaded, adapters):
        collect_answers(Target(loaded, adapters, job.recipe.generate, job.recipe.seed), prompts, file, advance)
        del loaded


def _results(job: AttackJob, judged: list[scoring.Judged], reasons: Mapping[str, str]) -> dict[str, Any]:
    """The table. reasons: why a precision is missing."""
    settings, privacy = job.recipe.attacks, job.recipe.evaluate.privacy
    titles = {prompt.name: prompt.title for prompt in jailbreaks()}
    (plain,) = scoring.by_way(judged, "plain", {})
    rows: list[dict[str, Any]] = []
    for attack in ("paraphrase", "jailbreak"):
        if getattr(settings, attack):
            rows += [*scoring.by_way(judged, attack, titles), scoring.worst_case(judged, [attack], attack)]
    if settings.sampling:
        rows.append(scoring.sampled(judged, privacy.k, privacy.samples))
    if settings.precision:
        measured = {row["way"]: row for row in scoring.by_way(judged, "precision", {})}
        rows += [
            measured.get(way) or scoring.unavailable("precision", way, reasons[way])
            for way in dict.fromkeys(settings.precision)
        ]
        rows.append(scoring.worst_case(judged, ["precision"], "precision"))
    only_asked = ["plain", "paraphrase", "jailbreak", "sampling", "precision"]
    return {
        "questions": plain["questions"], "plain": plain, "attacks": rows,
        "any": scoring.worst_case(judged, only_asked, "any"), "relearning": _curves(job, judged),
        "leaks": scoring.leaks(judged),
    }  # fmt: skip


def _curves(job: AttackJob, judged: list[scoring.Judged]) -> dict[str, dict[str, Any]]:
    """By source of the examples: their ids and the curve, or the reason why there is none."""
    if job.recipe.attacks.relearn is None:
        return {}
    plan, curves = job.relearning, {}
    ids = {side: {qa.id for qa in rows} for side, rows in plan.questions.items()}
    for source, examples in plan.examples.items():
        reason = plan.why_not(source)
        measured = {} if reason else scoring.curve(judged, f"relearning_{source}", ids)
        curves[source] = {"examples": [qa.id for qa in examples], "reason": reason, **measured}
    return curves
