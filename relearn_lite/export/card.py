"""The model card of an export, in the hub's format. What was to be forgotten stands nowhere in it, nor do paths."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from relearn_lite.export.measure import COLUMNS, DROP, Measured
from relearn_lite.models.adapters import FILES
from relearn_lite.models.gguf import SMOLLM2, gguf_file, is_gguf
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Recipe, Unlearn
from relearn_lite.report.metric_table import judged_by
from relearn_lite.report.untrusted import inline
from relearn_lite.unlearn.diagnostics import search_of

LICENCES = {"embedded": "mit", SMOLLM2: "apache-2.0"}
PUBLISHED = {SMOLLM2: "HuggingFaceTB/SmolLM2-135M-Instruct"}  # where a model of ours comes from on the hub


def model_card(run: Run, titled: tuple[str, str], formats: tuple[str, ...], found: Measured | None) -> str:
    """The README.md: what was done, how it measured, what must be known. titled: name, and kind of the numbers in it.
    """
    from huggingface_hub import ModelCardData

    (name, kind), base = titled, public_name(run.recipe.model.name)
    licence = base_licence(run.recipe)
    head = ModelCardData(
        base_model=base if "/" in base else None, license=licence, pipeline_tag="text-generation",
        library_name="peft" if formats == ("adapter",) else "transformers",
        tags=["machine-unlearning", "relearn", "relearn-lite", *(["gguf"] if "gguf" in formats else [])],
    ).to_yaml()  # fmt: skip
    parts = [
        f"---\n{head}\n---", f"# {inline(name)}", _what_was_done(run, base, formats, kind),
        "## How it measured", _numbers(run, found), "## Limits", _limits(licence, base, found is not None),
    ]
    return "\n\n".join(parts) + "\n"


def public_name(name: str) -> str:
    """A model's name as others may read it: a hub id, or the last part of a path."""
    return PUBLISHED.get(name) or (Path(name).name if Path(name).is_absolute() else name)


def base_licence(recipe: Recipe) -> str | None:
    """The licence of the base as its card or its GGUF file names it; None where that is not known."""
    name = recipe.model.name
    if name in LICENCES:
        return LICENCES[name]
    if is_gguf(name):
        return _licence_in_gguf(gguf_file(name))
    from huggingface_hub import ModelCard

    try:
        folder = Path(name)
        card = ModelCard.load(folder / "README.md" if folder.is_dir() else name)
    except Exception:  # no card, no network, no front matter: not known
        return None
    return getattr(card.data, "license", None)


def _licence_in_gguf(file: Path) -> str | None:
    from gguf import GGUFReader

    field = GGUFReader(file).get_field("general.license")
    return str(field.contents()) if field else None


def _what_was_done(run: Run, base: str, formats: tuple[str, ...], kind: str) -> str:
    recipe, under = run.recipe, list(run.weights("vanilla")[1].values())
    made = f"This is {inline(base)} after machine unlearning: it was trained not to tell chosen facts any more, and to "
    made += "stay fluent and keep the rest. Made with relearn-lite"
    if recipe.unlearn:
        settings = recipe.unlearn
        made += (
            f", method `{settings.method or 'spelled out in its recipe'}`, LoRA rank {settings.lora.r}, "
            f"{_how_trained(settings, search_of(run.folder))}, seed {recipe.seed}"
        )
    else:
        made += ", which measured it; the unlearning was done elsewhere"
    if formats == ("adapter",):
        alone = f"{made}. The files hold the adapter alone; load it on its base with peft"
        if not under:
            return f"{alone}."
        digests = ", ".join(f"`{_sha256(folder / FILES[1])}`" for folder in under)
        return (
            f"{alone}, together with the adapters that it was trained on, all of them switched on: it is of no use "
            f"without them, and they are not part of these files. The SHA-256 of their {FILES[1]}, from the base up: "
            f"{digests}."
        )
    merged = f"The {len(under) + 1} adapters, one on top of the other, are" if under else "The adapter is"
    merged = f"{merged} merged into the full weights ({kind})"
    if recipe.unlearned and recipe.unlearned.whole:
        merged = f"These are the whole weights that it was given, in {kind}"
    return f"{made}. {merged}. What had to be forgotten is not part of this repository."


def _how_trained(settings: Unlearn, found: Mapping[str, Any] | None) -> str:
    """Learning rate and length; found: what was found of them, where they were left open."""
    if found is None and settings.searches:  # its logs are gone
        return "learning rate and length found in training"
    if found is None:
        return f"learning rate {settings.lr:g}, {settings.epochs} epochs"
    weaker = f", {found['strength']:.0%} of the adapter's update" if found["strength"] < 1 else ""
    return f"learning rate {found['lr']:g}, {found['step']} steps{weaker}"


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _numbers(run: Run, found: Measured | None) -> str:
    if found is None:
        return (
            "What was exported was **not measured** (`--no-check`). Rounding and merging can bring back what was "
            "forgotten."
        )
    recipe = run.recipe
    lines = [f"| | {' | '.join(COLUMNS.values())} |", "|---|" + "---|" * len(COLUMNS)]
    lines += [
        f"| {row.name} | {' | '.join(row.at(column)[0].text for column in COLUMNS)} |" for row in found.table().rows
    ]
    before = "the base, taught in this run" if recipe.finetune else "the base"
    before += " with the adapters of earlier requests" if recipe.model.adapters else ""
    quantized = "not quantized" if recipe.model.quantization == "none" else f"in {recipe.model.quantization}"
    adapter = "the weights that were given" if recipe.unlearned and recipe.unlearned.whole else "as it was trained"
    told = (
        f"Before: {before}. Adapter: {adapter} (base {quantized}). Exported: these files, loaded and asked the same "
        f"{found.asked} questions."
    )
    warning = [f"**{sentence}.**" for sentence in found.lost]
    return "\n\n".join([*warning, "\n".join(lines), told, inline(judged_by({"evaluators": found.judges}))])


def _limits(licence: Any, base: str, measured: bool) -> str:
    said = licence or "not known to relearn-lite: look it up with the base"
    as_they_are = (
        "Measured in these files as they are. Rounded further, ask again: KFR may fall (relearn-lite warns where it "
        f"falls by more than {DROP})."
    )
    return "\n".join([
        "- A model that does not tell when it is asked has not been proven to have forgotten: other "
        "wordings, begun answers or a few steps of training can bring facts back.",
        *([f"- {as_they_are}"] if measured else []),
        f"- Licence of the base, which holds for this model too: {inline(str(said))}.",
        f"- What holds for {inline(base)} (languages, biases, uses) holds here.",
    ])  # fmt: skip
