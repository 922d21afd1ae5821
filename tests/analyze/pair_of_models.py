"""The embedded model with an adapter of random weights: an unlearned model that differs in every part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from relearn_lite.analyze.answers import AnalyzedAnswer, choose_answers
from relearn_lite.core.records import QA
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, Loaded, active_adapters
from relearn_lite.recipe import Lora, Model

PEOPLE = Path(backends.__file__).parents[1] / "assets" / "people"


@dataclass
class Pair:
    """A loaded model, its two versions, questions, and the answers chosen of them."""

    loaded: Loaded
    questions: dict[str, list[QA]]
    answers: list[AnalyzedAnswer]

    @property
    def models(self) -> dict[str, tuple[str, ...]]:
        return {"vanilla": self.loaded.vanilla_adapters, "unlearned": self.loaded.unlearned_adapters}

    def ask(self, model: str, ids: tuple[int, ...], **options):
        """The plain way: one example, unpadded, all logits, no hooks."""
        with torch.no_grad(), active_adapters(self.loaded.model, self.models[model]):
            return self.loaded.model(input_ids=torch.tensor([ids]), use_cache=False, **options)


def people(name: str, count: int) -> list[QA]:
    rows = (PEOPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    return [QA(f"{name}-{n}", row["question"], row["answer"]) for n, row in enumerate(map(json.loads, rows))]


def shaken(quantization: str, scale: float) -> Pair:
    loaded = backends.load(Model(name="embedded", quantization=quantization), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=8, alpha=16, dropout=0.1), seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, parameter in loaded.model.named_parameters():
            if f".{UNLEARNED}." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    loaded.model.eval()
    questions = {side: people(side, 12) for side in ("forget", "retain")}
    return Pair(loaded, questions, choose_answers(loaded.tokenizer, questions, 3))
