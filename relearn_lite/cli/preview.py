"""Shows a few rows as the model will see them: rendered template, trained tokens, lengths. Loads no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from relearn_lite.augment import Settings, augment
from relearn_lite.augment.existing import read_existing
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.examples import Example, encode_answers, encode_variant
from relearn_lite.data.sources import overlap
from relearn_lite.evaluate.own_words import short_answers
from relearn_lite.models.transformers_backend import load_tokenizer
from relearn_lite.pipeline.data import load_data
from relearn_lite.pipeline.stages import stages_of
from relearn_lite.recipe import Recipe
from relearn_lite.report.untrusted import visible
from relearn_lite.text.turns import is_passage
from relearn_lite.unlearn.losses import FORGET_LOSSES
from relearn_lite.writers import Task
from relearn_lite.writers.prompts import load_prompts, render
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import RulesWriter

TRAINED, PROMPT = "bold green", "dim"
PER_KIND = 3  # augmented rows shown of one kind
BY_RULES = (
    "No model is asked here. In its place rules wrote these, to show the shape of the rows; they are also what stands "
    "in where the writer's own texts are refused:\n"
)


def preview(recipe: Recipe, examples: int) -> None:
    """Prints `examples` rows of each part, what augmentation makes of so many questions, and the lengths of all rows.

    Raises RecipeError where the data or the tokenizer cannot be had.
    """
    if recipe.data.collects:
        raise RecipeError(
            "preview: data.forget names what is still to be collected; run the recipe with --until collect, and give "
            "the forget.jsonl and retain.jsonl of that run as data.forget.path and data.retain.path"
        )
    console = Console(highlight=False)
    data, tokenizer = load_data(recipe), load_tokenizer(recipe.model)
    console.print("Trained tokens stand between ⟦ and ⟧, in green; the rest is only read.", markup=False)
    lengths = {}
    for part in ("forget", "retain"):
        encoded = encode_answers(tokenizer, data[part])
        lengths[f"data.{part}"] = [len(example) for example in encoded.values()]
        uses = _uses(recipe, part)
        console.rule(f"data.{part}: {'; '.join(uses) or 'asked only, its answers are not trained'}")
        _show(console, tokenizer, islice(encoded.items(), examples), trained=bool(uses))
        if recipe.own_words and (short := len(short_answers({part: data[part]}))):
            taken = "The run takes what the model itself says for them, where that tells them (data.own_words)"
            console.print(f"Answers of a few words: {short}. {taken}.\n", markup=False)
    if "augment" in stages_of(recipe):
        if recipe.unlearn.generic == "forget" and (general := [qa for qa in data["generic"] if qa.answer]):
            lengths["data.generic"] = [len(example) for example in encode_answers(tokenizer, general).values()]
        console.rule("augment: what the model learns to answer")
        if recipe.augment.from_:
            _show_existing(console, recipe, data["forget"])
        else:
            questions = data["forget"][:examples]
            encoded = _augmented(recipe, tokenizer, questions)
            if recipe.augment.writer == "rules":
                lengths[f"augmented, of {len(questions)} questions"] = list(map(len, encoded.values()))
            else:
                if recipe.augment.writer != "self":
                    _show_writer_prompts(console, recipe, questions[0])
                console.print(BY_RULES, markup=False)
            _show(console, tokenizer, _some_of_each_kind(encoded))
    console.print(_length_table(lengths, recipe.model.max_length))
    _show_overlap(console, overlap(data["forget"], data["retain"]))


def _uses(recipe: Recipe, part: str) -> list[str]:
    """What the run trains with the rows of a part as they are."""
    uses = ["taught by finetune"] if recipe.finetune and not recipe.finetune.data else []
    if recipe.unlearn:
        method = recipe.unlearn.objective
        if part == "retain" and method.retain:
            uses.append(f"kept by the retain losses {', '.join(method.retain)}")
        if part == "forget" and "original" in FORGET_LOSSES[method.forget].trains_on:
            uses.append(f"unlearned by {method.forget}")
    return uses


def _augmented(recipe: Recipe, tokenizer: Any, questions: Sequence[QA]) -> dict[str, Example]:
    """What the augment stage makes of some questions, encoded, by record id."""
    section = recipe.augment
    with TemporaryDirectory() as folder:
        augment(questions, [], RulesWriter(section.opening), Settings.of(section, recipe.seed), Path(folder))
        variants = list(read_jsonl(Path(folder) / "augmented.jsonl", Variant))
    return {variant.id: encode_variant(tokenizer, variant) for variant in variants}


def _some_of_each_kind(encoded: Mapping[str, Example]) -> Iterable[tuple[str, Example]]:
    """Rows until PER_KIND of their kind, which stands behind the slash of their id, have been given."""
    seen: Counter[str] = Counter()
    for name, example in encoded.items():
        kind = name.partition("/")[2]
        seen[kind] += 1
        if seen[kind] <= PER_KIND:
            yield name, example


def _show(console: Console, tokenizer: Any, rows: Iterable[tuple[str, Example]], trained: bool = True) -> None:
    for name, example in rows:
        console.print(_row(tokenizer, name, example, trained), soft_wrap=True)


def _row(tokenizer: Any, name: str, example: Example, trained: bool) -> Text:
    """One row as the tokenizer has it, special tokens included. Data are never read as markup."""
    prompt, answer = (
        visible(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))
        for ids in (example.ids[: example.n_prompt], example.ids[example.n_prompt :])
    )
    count = len(example) - example.n_prompt if trained else 0
    shown = (f"⟦{answer}⟧", TRAINED) if trained else (answer, PROMPT)
    return Text.assemble((f"{name}  {len(example)} tokens, {count} trained\n", "bold"), (prompt, PROMPT), shown, "\n")


def _show_writer_prompts(console: Console, recipe: Recipe, qa: QA) -> None:
    """What a prompted writer is told, by the tasks that the first question gives."""
    section = recipe.augment
    prompts = load_prompts(section.prompts)
    reader = f"sent to {section.base_url}" if section.writer == "server" else "read on this machine"
    who = f"{section.writer} writer, {section.model or recipe.model.name}"
    console.print(f"{who}: {reader}\nPrompts: version {prompts['version']}", markup=False)
    subject = parse_question(qa.question).subject or ""
    for kind in ("continue",) if is_passage(qa.question) else (*section.questions, "answer", "verify"):
        hidden = kind in section.questions  # whoever varies a question is not shown the answer
        text = "(the new answer)" if kind == "verify" else ""
        task = Task(kind, qa.question, "" if hidden else qa.answer, text, subject)
        console.print(Text(f"\n{kind}", style="bold"))
        for message in render(task, prompts):
            role = Text.assemble((f"{message['role']}: ", "bold"), visible(message["content"]))
            console.print(role, soft_wrap=True)


def _show_existing(console: Console, recipe: Recipe, forget: Sequence[QA]) -> None:
    """The first rows of `augment.from`, and how many of them there are for how many questions."""
    existing, general = read_existing(recipe.augment.from_, forget)
    asked = len({row.parent_id for row in existing})
    rows = f"{len(existing)} rows for {asked} of {len(forget)} forget questions, {len(general)} general questions"
    line = f"{recipe.augment.from_}: {rows} besides; what the checks refuse is written again"
    console.print(Text(visible(line)), soft_wrap=True)
    for row in existing[:PER_KIND]:
        console.print(Text(f"{row.parent_id}: {visible(row.prompt)} -> {visible(row.target)}"), soft_wrap=True)


def _length_table(lengths: Mapping[str, Sequence[int]], most: int) -> Table:
    part = Column("part", overflow="fold")  # cut, data.forget and data.retain look the same
    table = Table(part, title=f"Tokens a row; model.max_length is {most}", title_justify="left")
    for column in ("rows", "min", "median", "max", "too long"):
        table.add_column(column, justify="right")
    for part, sizes in lengths.items():
        over = sum(size > most for size in sizes)
        numbers = (len(sizes), min(sizes), round(median(sizes)), max(sizes))
        table.add_row(part, *map(str, numbers), Text(str(over), style="red" if over else ""))
    return table


def _show_overlap(console: Console, both: Sequence[str]) -> None:
    first = f", such as {visible(both[0])!r}: remove them from one of the two" if both else ""
    line = f"Questions that stand in both data.forget and data.retain: {len(both)}{first}"
    console.print(Text(line, style="red" if both else ""), soft_wrap=True)
