"""One unlearning step (relearn_klr_gdr), three ways, on the same model and data: time, peak memory, useful tokens.

    python benchmarks/train_step.py                     8 layers, 512 wide; KnowUnDo from ../shared, batch 2
    python benchmarks/train_step.py --shape llama-3.2-1b --batch 1 --out step.json

published   what the paper's code does, written anew: rows padded on the left to 512 tokens, a second full model as
            reference, logits and KL at every position
ours        this project's UnlearnModule on its own loader, with unlearn.reference: recompute
cached      the same with unlearn.reference: cached, from the second time on that a retain row is drawn; recipes have
            it so (`auto`) where rows come again and there is room
ideal       forward and backward pass of the useful tokens alone: all rows in one line without padding, the head at
            supervised positions, the sum of the logits as loss; no reference, no loss

Times are of forward and backward pass, in turns, medians; peak memory is that of a process of its own, with
the longest batch of the epoch. Weights are random, which no step notices.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from measure import DATA, SHAPES, build, interleaved, machine, pairs, peak_mb, ratio, report, tokenizer

LONGEST = 512  # tokens that the published code pads every row to
VARIANTS = ("published", "ours", "cached", "ideal")


class Bench:
    """The data, and one model with a LoRA adapter; `published` has a second model beside it."""

    def __init__(self, options: argparse.Namespace, variants: tuple[str, ...]):
        from relearn_lite.data.batches import MicroBatches, TrainingRows
        from relearn_lite.data.examples import encode_answer
        from relearn_lite.models import backends
        from relearn_lite.models.loaded import UNLEARNED, Loaded
        from relearn_lite.recipe import Lora, Unlearn
        from relearn_lite.unlearn.losses import METHODS
        from relearn_lite.unlearn.module import Schedule, UnlearnModule

        words, rows = tokenizer(), pairs(options.data)
        encoded = {part: [encode_answer(words, *pair) for pair in found] for part, found in rows.items()}
        self.loaded = Loaded(build(options.shape), words, "transformers")
        self.loaded.model.requires_grad_(False)
        backends.add_adapter(self.loaded, UNLEARNED, Lora(dropout=0.0), 0)
        self.model = self.loaded.model.train()
        self.reference = build(options.shape).requires_grad_(False) if "published" in variants else None
        rows = TrainingRows([{"augmented": example} for example in encoded["forget"]], encoded["retain"])
        loader = MicroBatches(rows, batch_size=options.batch, pad_id=words.pad_token_id, seed=0)
        self.batches = [{**batch, "parts": self._on_device(batch["parts"])} for batch in loader]
        self.modules = {
            keep: UnlearnModule(
                self.loaded, METHODS["relearn_klr_gdr"], Unlearn().hyperparameters, Schedule(1e-4, 1),
                keep_reference=keep,
            )
            for keep in (False, True)
        }
        for module in self.modules.values():  # Lightning is not part of the step
            module.trainer = SimpleNamespace(accumulate_grad_batches=1, world_size=1)
        self.pad = words.pad_token_id
        # Rounds are spread over the epoch, so that short and long batches count alike.
        self.every = max(1, len(self.batches) // options.repeats)

    def _on_device(self, parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {part: {name: t.to(self.loaded.device) for name, t in rows.items()} for part, rows in parts.items()}

    def batch(self, number: int) -> dict[str, Any]:
        """The batch of a round; of round -1 the epoch's last, the longest where they are sorted."""
        return self.batches[number * self.every % len(self.batches) if number >= 0 else -1]

    def ours(self, number: int) -> None:
        self._finish(self.modules[False].training_step(self.batch(number), number))

    def cached(self, number: int) -> None:
        self._finish(self.modules[True].training_step(self.batch(number), number))

    def published(self, number: int) -> None:
        """L_GDF + L_GDR + L_KLR on rows padded to 512, all logits of two models."""
        import torch
        from torch.nn.functional import kl_div, log_softmax

        batch = self.batch(number)
        forget, retain = (self._left_padded(batch["parts"][part]) for part in ("augmented", "retain"))
        loss = self.model(**forget).loss
        ours = self.model(**retain)
        with torch.no_grad():
            theirs = self.reference(**retain)
        flat = [log_softmax(out.logits, -1).flatten(0, 1) for out in (ours, theirs)]
        kl = kl_div(flat[0], flat[1], reduction="batchmean", log_target=True)
        self._finish(loss + ours.loss + kl)

    def ideal(self, number: int) -> None:
        """Rows in one line: attention sees more tokens than it should, which at these lengths costs next to nothing."""
        import torch

        parts = self.batch(number)["parts"].values()
        ids = torch.cat([part["input_ids"][part["attention_mask"].bool()] for part in parts])[None]
        trained = torch.cat([part["labels"][part["attention_mask"].bool()] for part in parts]) != -100
        base = self.model.get_base_model()
        hidden = base.base_model(input_ids=ids, use_cache=False).last_hidden_state[0, :-1]
        self._finish(base.get_output_embeddings()(hidden[trained[1:]]).sum())

    def _finish(self, loss: Any) -> None:
        loss.backward()
        self.model.zero_grad(set_to_none=True)

    def _left_padded(self, part: dict[str, Any]) -> dict[str, Any]:
        from torch.nn.functional import pad

        filler = {"input_ids": self.pad, "attention_mask": 0, "labels": -100}
        rows = {name: [] for name in filler}
        for row, length in enumerate(part["attention_mask"].sum(1).tolist()):
            for name, value in filler.items():
                rows[name].append(pad(part[name][row, :length], (LONGEST - length, 0), value=value))
        import torch

        return {name: torch.stack(given) for name, given in rows.items()}

    def useful(self) -> tuple[int, int]:
        """Tokens of the rows of an epoch, and tokens that our step computes for them, padding included."""
        masks = [part["attention_mask"] for batch in self.batches for part in batch["parts"].values()]
        return sum(int(mask.sum()) for mask in masks), sum(mask.numel() for mask in masks)


def peaks(options: argparse.Namespace) -> dict[str, float]:
    """Peak MB of each variant in a process of its own."""
    found = {}
    for variant in VARIANTS:
        command = [sys.executable, __file__, "--peak", variant, "--shape", options.shape, "--batch",
                   str(options.batch), "--data", str(options.data)]
        found[variant] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--batch", type=int, default=2, help="rows of forget and of retain set a step")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of KnowUnDo's privacy files")
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: printed")
    parser.add_argument("--peak", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        bench = Bench(options, (options.peak,))
        bench.batches.sort(key=lambda batch: sum(part["labels"].numel() for part in batch["parts"].values()))
        for _ in range(2):
            getattr(bench, options.peak)(-1)
        print(json.dumps(peak_mb()))
        return
    memory = peaks(options)
    bench = Bench(options, VARIANTS)
    for number in range(options.repeats):  # the first time that a row is drawn it is computed
        bench.cached(number)
    seconds = interleaved({name: getattr(bench, name) for name in VARIANTS}, options.repeats)
    useful, computed = bench.useful()
    result = {
        "machine": machine(), "shape": options.shape, "batch": options.batch, "repeats": options.repeats,
        "seconds": seconds, "peak_mb": memory,
        "times_faster_than_published": {name: ratio(seconds["published"], seconds[name]) for name in VARIANTS},
        "time_over_ideal": {name: ratio(seconds[name], seconds["ideal"]) for name in VARIANTS},
        "peak_over_published": {name: memory[name] / memory["published"] for name in VARIANTS},
        "useful_over_computed": useful / computed,
    }
    table = [("step", "seconds, median", "published / it", "it / ideal", "peak MB", "peak / published")]
    for name in VARIANTS:
        table.append((
            name, f"{statistics.median(seconds[name]):.3f}", f"{ratio(seconds['published'], seconds[name]):.2f}",
            f"{ratio(seconds[name], seconds['ideal']):.2f}", f"{memory[name]:.0f}",
            f"{memory[name] / memory['published']:.2f}",
        ))
    report(result, table, options.out)
    print(f"useful tokens over computed ones, an epoch: {useful / computed:.3f}")


if __name__ == "__main__":
    main()
