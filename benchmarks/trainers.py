"""Tokens a second of learning answers: this project in both backends, and Unsloth's own SFT trainer, on the same rows.

    python benchmarks/trainers.py --shape llama-3.2-1b
    python benchmarks/trainers.py --shape llama-3.1-8b --ways unsloth sft --rows full

full    rows of --length tokens, one at a time, four to an optimizer step: nothing is padded
short   rows as long as KnowUnDo's, eight at a time: where padding matters. Lengths come from ../shared, or from a file
        that `--lengths FILE --write-lengths` made there; else from the rows about the project's invented people

Every way is a process of its own: the shape with random weights in 4 bit, LoRA of rank 32 on all linear layers without
dropout, AdamW, gradient checkpointing, cross-entropy of the answers alone. It learns all rows twice; the first epoch is
not timed. Tokens are those of the rows, padding is not counted. `sft` is FastLanguageModel with trl's SFTTrainer, as
Unsloth changes it and with its own choices.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import DATA, SHAPES, kept_model, machine, pairs, peak_mb, report, rounded, synchronise, tokenizer

WAYS = ("unsloth", "transformers", "sft")
BATCHES = {"full": (1, 4), "short": (8, 1)}  # rows at a time, batches an optimizer step
Row = tuple[int, int]  # tokens of a question and of both


def lengths(file: Path | None) -> tuple[str, list[Row]]:
    """Where the lengths of short rows are from, and the lengths."""
    if file and file.exists():
        return "KnowUnDo", [tuple(row) for row in json.loads(file.read_text())]
    from relearn_lite.data.examples import encode_answer

    words = tokenizer()
    examples = [encode_answer(words, *pair) for pair in pairs(DATA)["forget"]]
    source = "KnowUnDo" if DATA.is_dir() else "the invented people"
    return source, [(example.n_prompt, len(example)) for example in examples]


def rows_of(kind: str, options: argparse.Namespace) -> list[Row]:
    count = options.rows_each
    if kind == "full":
        return [(options.length // 8, options.length)] * count
    found = lengths(options.lengths)[1]
    return [found[number * len(found) // (2 * count)] for number in range(2 * count)]  # spread over all


def ids_of(row: int, size: int) -> list[int]:
    return [(7 * row + place) % 2900 for place in range(size)]


def ours(options: argparse.Namespace) -> Any:
    """This project's training; gives a function that trains on rows and returns when each epoch ended."""
    import lightning

    from relearn_lite.data.batches import TrainingRows
    from relearn_lite.data.examples import Example
    from relearn_lite.models import backends
    from relearn_lite.models.loaded import UNLEARNED, active_adapters
    from relearn_lite.recipe import Lora, Model
    from relearn_lite.recipe.training import Finetune
    from relearn_lite.unlearn.train import TrainingRun, train

    loaded = backends.load(Model(name=str(options.folder), backend=options.way, max_length=options.length), 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(dropout=0.0), 0)

    def fit(rows: list[Row], batch: int, accumulate: int, ended: list[float]) -> None:
        class Clock(lightning.Callback):
            def on_train_epoch_end(self, *_):
                synchronise()
                ended.append(time.perf_counter())

        made = [{"augmented": Example(tuple(ids_of(n, size)), asked)} for n, (asked, size) in enumerate(rows)]
        settings = Finetune(epochs=2, batch_size=batch, accumulate=accumulate, warmup_epochs=0, checkpoint_every=10**6)
        with tempfile.TemporaryDirectory() as folder, active_adapters(loaded.model, (UNLEARNED,)):
            train(loaded, TrainingRows(made), settings, TrainingRun("finetune", Path(folder), 0, quiet=True), [Clock()])

    return fit


def sft(options: argparse.Namespace) -> Any:
    """Unsloth's own way, as its documentation shows it; gives the same kind of function as `ours`."""
    import torch
    from unsloth import FastLanguageModel, is_bfloat16_supported  # isort: skip  before trl, which it changes
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    model, words = FastLanguageModel.from_pretrained(
        str(options.folder), max_seq_length=options.length, load_in_4bit=True, use_exact_model_name=True
    )
    model = FastLanguageModel.get_peft_model(
        model, r=32, lora_alpha=32, lora_dropout=0, use_gradient_checkpointing="unsloth", random_state=0
    )

    def fit(rows: list[Row], batch: int, accumulate: int, ended: list[float]) -> None:
        class Clock(TrainerCallback):
            def on_epoch_end(self, *_, **__):
                synchronise()
                ended.append(time.perf_counter())

        made = [
            {"input_ids": ids_of(n, size), "completion_mask": [0] * asked + [1] * (size - asked)}
            for n, (asked, size) in enumerate(rows)
        ]
        half = is_bfloat16_supported() if torch.cuda.is_available() else None
        with tempfile.TemporaryDirectory() as folder:
            settings = SFTConfig(
                folder, num_train_epochs=2, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulate,
                learning_rate=3e-4, max_length=options.length, bf16=half is True, fp16=half is False,
                optim="adamw_torch", completion_only_loss=True, logging_strategy="no", save_strategy="no",
                report_to="none", disable_tqdm=True,
            )  # fmt: skip
            trainer = SFTTrainer(
                model, settings, train_dataset=Dataset.from_list(made), processing_class=words, callbacks=[Clock()]
            )
            trainer.train()

    return fit


def one_way(options: argparse.Namespace) -> None:
    """Trains in this process; a line of JSON for each kind of rows."""
    fit = sft(options) if options.way == "sft" else ours(options)
    for kind in options.rows:
        rows, ended = rows_of(kind, options), []
        fit(rows, *BATCHES[kind], ended)
        tokens = sum(size for _, size in rows)
        found = {"way": options.way, "rows": kind, "tokens": tokens, "seconds": ended[1] - ended[0]}
        found |= {"tokens_per_second": tokens / found["seconds"], "peak_mb": peak_mb()}
        print(json.dumps(found), flush=True)


def in_own_process(options: argparse.Namespace, folder: Path, way: str) -> list[dict[str, Any]]:
    command = [sys.executable, __file__, "--folder", str(folder), "--way", way, "--length", str(options.length)]
    command += ["--rows-each", str(options.rows_each), "--rows", *options.rows]
    command += ["--lengths", str(options.lengths)] if options.lengths else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)  # what it says of errors is shown as it comes
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"way"')]
    missing = [kind for kind in options.rows if kind not in {each["rows"] for each in found}]
    return found + [{"way": way, "rows": kind, "failed": f"exit status {done.returncode}"} for kind in missing]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="llama-3.2-1b")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--rows", nargs="+", choices=BATCHES, default=list(BATCHES))
    parser.add_argument("--rows-each", type=int, default=24, help="full rows an epoch; twice as many short ones")
    parser.add_argument("--length", type=int, default=512, help="tokens of full rows, and the most that a row may have")
    parser.add_argument("--lengths", type=Path, help="file with the lengths of KnowUnDo's rows")
    parser.add_argument("--write-lengths", action="store_true", help="only write that file, from ../shared")
    parser.add_argument("--models", type=Path, help="where the model is kept for another call; default: it is not kept")
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: printed")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_lengths:
        options.lengths.write_text(json.dumps(lengths(None)[1]))
        return
    if options.folder:
        one_way(options)
        return
    found = []
    with tempfile.TemporaryDirectory() as place:
        model = kept_model(options.shape, options.models or Path(place))
        for way in options.ways:
            found += in_own_process(options, model, way)
    table = [("rows", "way", "tokens/s", "peak MB", "")]
    for one in sorted(found, key=lambda one: one["rows"]):
        table.append((one["rows"], one["way"], *rounded(one, "tokens_per_second", "peak_mb"), one.get("failed", "")))
    settings = {name: getattr(options, name) for name in ("shape", "length", "rows_each")}
    result = {"machine": machine(), **settings, "short_rows_are_those_of": lengths(options.lengths)[0], "trials": found}
    report(result, table, options.out)


if __name__ == "__main__":
    main()
