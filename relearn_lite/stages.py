"""The stages: what each does, on what it depends, and what it leaves in the run folder.

A stage reads records and writes records; it can be killed at any moment and started again. Which stages run, and when
one is done, is decided in `relearn_lite.pipeline`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from relearn_lite.data.sources import load, load_part
from relearn_lite.errors import RecipeError
from relearn_lite.records import QA, Answer, Score, Variant, read_jsonl, write_text
from relearn_lite.schema import Recipe
from relearn_lite.unlearn.losses import FORGET_TERMS

MODELS = ("vanilla", "unlearned")


@dataclass
class Work:
    """One run in progress: its recipe, its folder, and what is in memory for it."""

    recipe: Recipe
    folder: Path
    quiet: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def data(self) -> dict[str, list[QA]]:
        """Every part of the data: forget, retain, generic, forget_eval, retain_eval, and finetune if it has its own."""
        return load_data(self.recipe)

    @cached_property
    def vanilla(self):
        """The model that knows, loaded once for all stages; what it was taught comes from the finetune stage."""
        from relearn_lite import backends

        recipe, taught = self.recipe, self.folder / "vanilla"
        if recipe.finetune is None:
            return backends.load(recipe.model, recipe.seed)
        if recipe.finetune.lora is None:
            return backends.load(recipe.model.other(str(taught)), recipe.seed)
        loaded = backends.load(recipe.model, recipe.seed)
        backends.load_adapter(loaded, backends.VANILLA, taught)
        loaded.vanilla = (backends.VANILLA,)
        return loaded

    @property
    def questions(self) -> dict[str, list[QA]]:
        """What the models are asked, by split: the evaluation sets, and their paraphrases where there are any."""
        splits = {}
        for name in ("forget", "retain"):
            asked = self.data[f"{name}_eval"]
            splits[name] = asked
            if any(qa.paraphrase for qa in asked):
                splits[f"{name}_paraphrase"] = [replace(qa, question=qa.paraphrase) for qa in asked if qa.paraphrase]
        return splits

    @property
    def models(self) -> tuple[str, ...]:
        return MODELS if self.recipe.unlearn else MODELS[:1]


def load_data(recipe: Recipe) -> dict[str, list[QA]]:
    """Reads all parts. Raises RecipeError with the problems of all of them at once."""
    problems: list[str] = []

    def part(read: Callable[[], list[QA]]) -> list[QA]:
        try:
            return read()
        except RecipeError as error:
            problems.extend(error.problems)
            return []

    data = {name: part(lambda name=name: load_part(recipe.data, name)) for name in ("forget", "retain", "generic")}
    for name in ("forget", "retain"):
        own = getattr(recipe.data, f"{name}_eval")
        data[f"{name}_eval"] = part(lambda name=name: load_part(recipe.data, f"{name}_eval")) if own else data[name]
    if recipe.finetune and recipe.finetune.data:
        data["finetune"] = [
            qa
            for n, source in enumerate(recipe.finetune.data)
            for qa in part(lambda n=n, source=source: load(source, f"finetune{n}", f"finetune.data.{n}")) * source.repeat
        ]
    if problems:
        raise RecipeError(problems)
    return data


def finetune(work: Work) -> dict[str, Any]:
    """Teaches the model the data; vanilla/ holds an adapter, or all weights where finetune.lora is null."""
    from relearn_lite import backends
    from relearn_lite.data.batches import UnlearnBatches, check_lengths, encode_answer
    from relearn_lite.unlearn.train import train

    recipe, settings = work.recipe, work.recipe.finetune
    # Training all weights needs them in float32, and is nothing that Unsloth would speed up.
    held = recipe.model if settings.lora else recipe.model.model_copy(update={"backend": "transformers"})
    loaded = backends.load(held, recipe.seed)
    records = work.data.get("finetune") or [*work.data["forget"], *work.data["retain"]]
    lessons = {qa.id: encode_answer(loaded.tokenizer, qa.question, qa.answer) for qa in records}
    check_lengths(lessons, recipe.model.max_length, "the data that finetune teaches")
    rows = [{"augmented": lessons[qa.id]} for qa in records]  # a record may come more than once
    if settings.lora:
        backends.add_adapter(loaded, backends.VANILLA, settings.lora, recipe.seed)
    else:
        loaded.model.float().requires_grad_(True)
    batches = UnlearnBatches(
        rows,
        [],
        batch_size=settings.batch_size,
        pad_id=loaded.tokenizer.pad_token_id,
        seed=recipe.seed,
    )
    steps = train(
        loaded,
        batches,
        terms=("ce", {}),
        beta=0.1,
        settings=settings,
        trainer=recipe.trainer,
        seed=recipe.seed,
        folder=work.folder,
        stage="finetune",
        quiet=work.quiet,
    )

    def save(folder: Path) -> None:
        if settings.lora:
            backends.save_adapter(loaded, backends.VANILLA, folder)
        else:
            loaded.model.save_pretrained(folder)
            loaded.tokenizer.save_pretrained(folder)

    replace_folder(work.folder / "vanilla", save)
    return {"rows": len(rows), "steps": steps}


def augment(work: Work) -> dict[str, Any]:
    """Writes augmented.jsonl and dropped.jsonl."""
    from relearn_lite.augment import Settings
    from relearn_lite.augment import augment as write_variants
    from relearn_lite.report.console import stage_progress
    from relearn_lite.writers.choose import make_writer

    section, forget = work.recipe.augment, work.data["forget"]
    settings = Settings(
        section.questions, section.verify_rounds, section.completion_fraction, section.generic_ratio, work.recipe.seed
    )
    writer = make_writer(section, "augment", work.recipe, lambda: work.vanilla)
    with stage_progress(f"augment ({writer.name})", len(forget), work.quiet) as advance:
        done = 0

        def progress(now: int, _: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        return write_variants(forget, work.data["generic"], writer, settings, work.folder, progress)


def unlearn(work: Work) -> dict[str, Any]:
    """Trains the adapter that forgets; adapter/ holds it."""
    from relearn_lite import backends
    from relearn_lite.data.batches import UnlearnBatches, check_lengths, encode_answer
    from relearn_lite.unlearn.train import train

    recipe, settings, loaded = work.recipe, work.recipe.unlearn, work.vanilla
    term, retain_weights = settings.terms
    forget = forget_rows(work, FORGET_TERMS[term].batches)
    retain = {}
    if retain_weights:
        retain = {qa.id: encode_answer(loaded.tokenizer, qa.question, qa.answer) for qa in work.data["retain"]}
    for part in FORGET_TERMS[term].batches:
        check_lengths(
            {name: row[part] for name, row in forget.items()}, recipe.model.max_length, f"data.forget ({part} answers)"
        )
    check_lengths(retain, recipe.model.max_length, "data.retain")
    backends.add_adapter(loaded, backends.UNLEARNED, settings.lora, recipe.seed)
    batches = UnlearnBatches(
        list(forget.values()),
        list(retain.values()),
        batch_size=settings.batch_size,
        pad_id=loaded.tokenizer.pad_token_id,
        seed=recipe.seed,
    )
    with backends.active_adapters(loaded.model, loaded.unlearned):
        steps = train(
            loaded,
            batches,
            terms=(term, retain_weights),
            beta=settings.beta,
            settings=settings,
            trainer=recipe.trainer,
            seed=recipe.seed,
            folder=work.folder,
            stage="unlearn",
            quiet=work.quiet,
        )
    replace_folder(work.folder / "adapter", lambda folder: backends.save_adapter(loaded, backends.UNLEARNED, folder))
    return {"rows": len(forget), "steps": steps}


def forget_rows(work: Work, parts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The rows of the forget term, by record id: Examples of new answers (`augmented`), of `original` ones, or both."""
    from relearn_lite.data.batches import encode_answer, encode_completion

    tokenizer = work.vanilla.tokenizer
    originals = {qa.id: qa for qa in work.data["forget"]}
    if parts == ("original",):
        return {qa.id: {"original": encode_answer(tokenizer, qa.question, qa.answer)} for qa in originals.values()}
    rows = {}
    for variant in read_jsonl(work.folder / "augmented.jsonl", Variant):
        encode = encode_completion if variant.kind == "completion" else encode_answer
        row = {"augmented": encode(tokenizer, variant.prompt, variant.target)}
        if "original" in parts:  # a preference needs both answers to one question
            if variant.kind in ("completion", "generic"):
                continue
            row["original"] = encode_answer(tokenizer, variant.prompt, originals[variant.parent_id].answer)
        rows[variant.id] = row
    if not rows:
        raise RecipeError(
            "augment: no training pair is left, all were dropped; dropped.jsonl in the run folder says why"
        )
    return rows


def generate(work: Work) -> dict[str, Any]:
    """Answers of every model to every question: answers/<model>_<split>.jsonl."""
    from relearn_lite import backends
    from relearn_lite.generate import generate as answer
    from relearn_lite.report.console import stage_progress

    loaded, settings = work.vanilla, work.recipe.generate
    if work.recipe.unlearn:
        backends.load_adapter(loaded, backends.UNLEARNED, work.folder / "adapter")
    total = len(work.models) * sum(map(len, work.questions.values()))
    with stage_progress("generate", total, work.quiet) as advance:
        for model in work.models:
            answer(
                loaded,
                work.questions,
                settings,
                model=model,
                seed=work.recipe.seed,
                folder=work.folder / "answers",
                advance=advance,
            )
    return {"answers": total}


def read_answers(work: Work, model: str) -> dict[str, list[Answer]]:
    """A model's answers by split."""
    return {
        split: list(read_jsonl(work.folder / "answers" / f"{model}_{split}.jsonl", Answer)) for split in work.questions
    }


def evaluate(work: Work) -> dict[str, Any]:
    """metrics.json and samples.jsonl, for the vanilla and the unlearned model."""
    from relearn_lite.evaluate import evaluate as measure
    from relearn_lite.evaluate import samples
    from relearn_lite.evaluators.choose import comparable_with_paper, make_evaluators
    from relearn_lite.report.console import stage_progress

    judges = make_evaluators(work.recipe, lambda: work.vanilla)
    answers = {model: read_answers(work, model) for model in work.models}
    results: dict[str, Any] = {}
    scores: dict[str, list[Score]] = {}
    total = sum(len(split) for model in answers.values() for split in model.values())
    with stage_progress("evaluate", total, work.quiet) as advance:
        for model in work.models:
            results[model], scores[model] = measure(answers[model], judges, work.recipe.evaluate.metrics)
            advance(sum(map(len, answers[model].values())))
    names = judges.names()
    results |= {"evaluators": names, "comparable_with_paper": comparable_with_paper(work.recipe)}
    rows = samples(answers, scores)
    write_text(work.folder / "samples.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_text(work.folder / "metrics.json", json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return {"answers": total}


def report(work: Work) -> dict[str, Any]:
    """report.html and report.md."""
    from relearn_lite.report.folder import read_run
    from relearn_lite.report.html import render_html
    from relearn_lite.report.markdown import render_markdown

    results, mask = read_run(work.folder), work.recipe.report.mask
    write_text(work.folder / "report.md", render_markdown(results, mask))
    write_text(work.folder / "report.html", render_html(results, mask))
    return {}


def replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fills a folder under a temporary name, then puts it in place: it is there whole or not at all."""
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    fill(temporary)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)


@dataclass(frozen=True)
class Stage:
    """A stage: what it does, the recipe sections and data parts it depends on, the stages it builds on, its output.

    version: raise it when the stage's code changes what it writes, so that older results are not taken for new ones.
    """

    run: Callable[[Work], dict[str, Any]]
    sections: tuple[str, ...]
    data: tuple[str, ...]
    after: tuple[str, ...]
    output: tuple[str, ...]
    version: int = 1


STAGES: dict[str, Stage] = {
    "finetune": Stage(
        finetune,
        ("seed", "model", "finetune", "trainer"),
        ("forget", "retain", "finetune"),
        (),
        ("vanilla", "checkpoints/finetune", "logs/finetune"),
    ),
    "augment": Stage(
        augment,
        ("seed", "augment"),
        ("forget", "generic"),
        (),
        ("augmented.jsonl", "dropped.jsonl", "augmented.partial.jsonl"),
    ),
    "unlearn": Stage(
        unlearn,
        ("seed", "model", "unlearn", "trainer"),
        ("forget", "retain"),
        ("finetune", "augment"),
        ("adapter", "checkpoints/unlearn", "logs/unlearn"),
    ),
    "generate": Stage(
        generate, ("seed", "model", "generate"), ("forget_eval", "retain_eval"), ("finetune", "unlearn"), ("answers",)
    ),
    "evaluate": Stage(evaluate, ("evaluate",), (), ("generate",), ("metrics.json", "samples.jsonl")),
    "report": Stage(report, ("report",), (), ("evaluate", "unlearn"), ("report.md", "report.html")),
}


def stages_of(recipe: Recipe) -> list[str]:
    """The stages that this recipe needs, in order."""
    left_out = set()
    if recipe.finetune is None:
        left_out.add("finetune")
    if recipe.unlearn is None:
        left_out |= {"augment", "unlearn"}
    elif "augmented" not in FORGET_TERMS[recipe.unlearn.terms[0]].batches:
        left_out.add("augment")
    return [name for name in STAGES if name not in left_out]


def data_digest(records: list[QA]) -> str:
    """A hash of the records' content."""
    import hashlib

    text = json.dumps([asdict(record) for record in records], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
