"""100 answers to KnowUnDo's questions: this project's batches of like length against one at a time; the same text?

    python benchmarks/generate.py
    python benchmarks/generate.py --shape llama-3.2-1b --batch 32 --out generate.json

Greedy, in turns, medians. With the embedded model (default) the answers are of all lengths, as a real model's are; with
random weights of a real shape no answer ends before --tokens.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from measure import DATA, SHAPES, build, interleaved, machine, pairs, ratio, report, tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=("embedded", *SHAPES), default="embedded")
    parser.add_argument("--answers", type=int, default=100)
    parser.add_argument("--batch", type=int, default=16, help="generate.batch_size of a recipe; 16 is its default")
    parser.add_argument("--tokens", type=int, default=48, help="generate.max_new_tokens")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of KnowUnDo's privacy files")
    parser.add_argument("--out", type=Path, help="where the JSON goes; default: printed")
    options = parser.parse_args()

    from relearn_lite.data.examples import question_ids
    from relearn_lite.models import backends
    from relearn_lite.models.generation import Decoding, answer_prompts
    from relearn_lite.models.loaded import Loaded
    from relearn_lite.recipe import Model

    if options.shape == "embedded":
        loaded = backends.load(Model(backend="transformers", quantization="none"), 0)
    else:
        loaded = Loaded(build(options.shape).eval(), tokenizer(), "transformers")
    questions = [question for question, _ in pairs(options.data)["retain"][: options.answers]]
    prompts = [question_ids(loaded.tokenizer, question) for question in questions]
    texts: dict[str, list[str]] = {}

    def answer(name: str, size: int) -> None:
        texts[name] = [each.text for each in answer_prompts(loaded, prompts, (), Decoding(options.tokens, size))]

    answer_prompts(loaded, prompts[:2], (), Decoding(4, 2))  # what the first call sets up
    sizes = {"one at a time": 1, "ours": options.batch}
    seconds = interleaved(
        {name: lambda _, name=name, size=size: answer(name, size) for name, size in sizes.items()},
        options.repeats, warm=False,
    )
    same = sum(a == b for a, b in zip(*texts.values(), strict=True))
    result = {
        "machine": machine(), "shape": options.shape, "answers": len(prompts), "batch": options.batch,
        "max_new_tokens": options.tokens, "seconds": seconds, "same_text": same,
        "times_faster": ratio(seconds["one at a time"], seconds["ours"]),
    }
    table = [("answers", "seconds, median", "one at a time / it")]
    for name, taken in seconds.items():
        table.append((name, f"{statistics.median(taken):.2f}", f"{ratio(seconds['one at a time'], taken):.2f}"))
    report(result, table, options.out)
    print(f"same text: {same} of {len(prompts)}")


if __name__ == "__main__":
    main()
