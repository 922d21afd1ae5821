"""TOFU questions through the whole augmentation with a local writer, and its parts, in two ways or three.

before: every prompt computed whole; a batch goes on until its longest text has ended.
now: what prompts begin with computed once; texts that have ended, or hold enough, leave the batch.
llama.cpp (--llama): the same prompts through our server writer to a llama.cpp server with the same model in f16.
ideal: every token that a prompt does not share with another computed once, without padding (tokens only).

    python benchmarks/write.py
    python benchmarks/write.py --questions 4 --parts answer verify --repeats 3 --out write.json

In turns, greedy unless --temperature says otherwise; seconds and tokens a finished record: a new text (`simple`,
`answer`), a verdict, a list of entities, or a pair that the augmentation kept. Without TOFU beside the project the
questions are those about its invented people.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from os.path import commonprefix
from pathlib import Path

import llama_server
from measure import ROOT, interleaved, machine, peak_mb, ratio, report

TOFU = ROOT.parent / "shared" / "data" / "tofu" / "forget10.json"
PARTS = ("simple", "answer", "verify", "entities", "augment")
WAYS = ("before", "now")
HEAD = (
    "part", "records", "seconds a record", "times faster", "prompt tokens a record", "ideal", "new tokens", "useful",
    "peak MB", "same texts",
)  # fmt: skip
SETTING = {"verify_rounds": 3, "completion_fraction": 0.25, "generic_ratio": 0.0, "seed": 42}  # augment's defaults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2", help="model.name of a recipe")
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--batch", type=int, default=8, help="augment.batch_size of a recipe; 8 is its default")
    parser.add_argument("--tokens", type=int, default=160, help="augment.max_new_tokens; 160 is its default")
    parser.add_argument("--temperature", type=float, default=0.0, help="augment.temperature; 0.7 is its default")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--llama", action="store_true", help="a llama.cpp server too, once; needs xllamacpp")
    parser.add_argument("--data", type=Path, default=TOFU, help="TOFU's forget10.json")
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: printed")
    options = parser.parse_args()
    if options.llama:  # before all the rest is measured
        llama_server.check(options.model)

    from relearn_lite.models import backends
    from relearn_lite.recipe import Model

    loaded = backends.load(Model(name=options.model, backend="transformers", quantization="none"), 0)
    questions = records(options.data)[: options.questions]
    measured = {part: both_ways(part, loaded, questions, options) for part in options.parts}
    if options.llama:  # last: until then the server's memory is not in this process
        for part, found in measured.items():
            found["llama.cpp"] = by_server(part, questions, options)
    settings = {name: getattr(options, name) for name in ("model", "batch", "tokens", "temperature")}
    result = {"machine": machine(), **settings, "questions": len(questions), "parts": measured}
    report(result, [HEAD, *(row(part, found) for part, found in measured.items())], options.out)


def both_ways(part: str, loaded, questions, options) -> dict:
    """One part of the work in both ways, by turns."""
    from relearn_lite.core.memory import reset_peak_memory
    from relearn_lite.models import kv_cache, shared_prefix

    kept, found = (shared_prefix.FEWEST, kv_cache.STRIDE), {}

    def run(way: str) -> None:
        shared_prefix.FEWEST, kv_cache.STRIDE = kept if way == "now" else (10**9, 10**9)
        reset_peak_memory()
        asked = Asked(loaded, options, may_stop=way == "now")
        with Computed(loaded) as computed:
            done = written(part, questions, asked.writer)
        found[way] = {
            "records": len(done), "prompt_tokens": computed.prompts, "new_tokens": computed.new, "peak_mb": peak_mb(),
            "ideal_prompt_tokens": once(asked.prompts), "useful_new_tokens": asked.new, "texts": done,
        }  # fmt: skip

    ways = {way: lambda _, way=way: run(way) for way in WAYS}
    try:
        seconds = interleaved(ways, options.repeats, warm=False)
    finally:
        shared_prefix.FEWEST, kv_cache.STRIDE = kept
    same = found["before"].pop("texts") == found["now"].pop("texts")
    return {way: {"seconds": seconds[way], **found[way]} for way in WAYS} | {"same_texts": same}


def by_server(part: str, questions, options) -> dict:
    """One part of the work through a llama.cpp server that was just started, as many requests at a time as rows."""
    import torch

    from relearn_lite.recipe import WriterChoice
    from relearn_lite.writers.server import ServerWriter

    with llama_server.served(options.model, torch.get_num_threads(), options.batch) as server:
        choice = WriterChoice(
            writer="server", base_url=f"{server.listening_address}/v1", model=options.model, timeout_s=600,
            concurrency=options.batch, max_new_tokens=options.tokens, temperature=options.temperature,
        )  # fmt: skip
        writer, done = ServerWriter(choice), []
        seconds = interleaved({"": lambda _: done.extend(written(part, questions, writer))}, 1, warm=False)[""]
        prompts = llama_server.counted(server, "prompt_tokens_total")
        new = llama_server.counted(server, "tokens_predicted_total")
    return {"seconds": seconds, "records": len(done), "prompt_tokens": prompts, "new_tokens": new}


def row(part: str, found: dict) -> tuple[str, ...]:
    before, now = (found[way] for way in WAYS)
    ways = [found[way] for way in (*WAYS, "llama.cpp") if way in found]

    def each(name: str, *ways: dict) -> str:
        """A number for each record, in these ways."""
        values = (statistics.median(way[name]) if name == "seconds" else way[name] for way in ways)
        return ", ".join(f"{value / max(way['records'], 1):.4g}" for value, way in zip(values, ways, strict=True))

    return (
        part, ", ".join(str(way["records"]) for way in ways[1:]), each("seconds", *ways),
        ", ".join(f"{ratio(way['seconds'], now['seconds']):.2f}" for way in (before, *ways[2:])),
        each("prompt_tokens", *ways), each("ideal_prompt_tokens", now), each("new_tokens", *ways),
        each("useful_new_tokens", now), f"{before['peak_mb']:.0f}, {now['peak_mb']:.0f}",
        "yes" if found["same_texts"] else "no",
    )  # fmt: skip


def records(path: Path) -> list:
    from relearn_lite.core.records import QA
    from relearn_lite.data.sources import load
    from relearn_lite.recipe import Source

    if not path.exists():
        return load(Source(preset="people/forget"), "people/forget", "forget")
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [QA(f"tofu-{i}", row["question"], row["answer"]) for i, row in enumerate(rows)]


def written(part: str, questions, writer) -> list[str]:
    """The records of a part."""
    return augmentation(questions, writer) if part == "augment" else tasks(part, questions, writer)


def tasks(kind: str, questions, writer) -> list[str]:
    """One task of a kind for each question; the text that is judged is the original answer."""
    from relearn_lite.writers import Task

    made = writer.write([Task(kind, qa.question, qa.answer, text=qa.answer, seed=i) for i, qa in enumerate(questions)])
    return [text for text in made if text is not None]


def augmentation(questions, writer) -> list[str]:
    from relearn_lite.augment import Settings, augment
    from relearn_lite.recipe.names import QUESTION_KINDS

    with tempfile.TemporaryDirectory() as folder:
        augment(questions, [], writer, Settings(QUESTION_KINDS, **SETTING), Path(folder))
        return (Path(folder) / "augmented.jsonl").read_text(encoding="utf-8").splitlines()


class Asked:
    """A writer on the model, the token ids of its prompts, and the tokens of what came back, with one that ends it."""

    def __init__(self, loaded, options, may_stop: bool):
        from relearn_lite.models.generation import chat
        from relearn_lite.writers.local import LocalWriter

        self.tokenizer, self.may_stop, self.new = loaded.tokenizer, may_stop, 0
        settings = {"batch_size": options.batch, "temperature": options.temperature, "section": "augment"}
        self.made = lambda: chat(loaded, **settings)
        self.chat = self.made()
        self.prompts: list[list[int]] = []
        self.known: set[tuple] = set()
        self.writer = LocalWriter(self.complete, "local", options.tokens, options.batch)

    def complete(self, conversations, most: int, seed: int, enough, begun, drawn: bool) -> list[str]:
        from relearn_lite.data.examples import chat_ids

        if self.may_stop:
            texts = self.chat(conversations, most, seed, enough, begun, drawn)
        else:
            texts = self.made()(conversations, most, seed, drawn=drawn)
        self.prompts += [chat_ids(self.tokenizer, turns) for turns in conversations]
        new = {*zip(map(tuple, self.prompts[-len(texts) :]), texts, strict=True)} - self.known
        self.known |= new  # a reply that is known costs nothing
        self.new += sum(len(self.tokenizer(text, add_special_tokens=False).input_ids) + 1 for _, text in new)
        return texts


class Computed:
    """Tokens that the model computes while this is open, padding included: of prompts, and new ones."""

    def __init__(self, loaded):
        self.embeddings, self.prompts, self.new = loaded.model.get_input_embeddings(), 0, 0

    def __enter__(self):
        self.hook = self.embeddings.register_forward_pre_hook(self.note)
        return self

    def note(self, _, given) -> None:
        rows, tokens = given[0].shape
        if tokens > 1:
            self.prompts += rows * tokens
            self.new += rows  # the first new token comes out of the prompt
        else:
            self.new += rows

    def __exit__(self, *_) -> None:
        self.hook.remove()


def once(prompts: list[list[int]]) -> int:
    """Tokens of all prompts where each beginning that several have is computed once."""
    ordered = sorted(prompts)
    shared = sum(len(commonprefix([one, other])) for one, other in zip(ordered, ordered[1:], strict=False))
    return sum(map(len, prompts)) - shared


if __name__ == "__main__":
    main()
