"""A run as it might have been, with answers as bad as they come."""

from __future__ import annotations

import pytest

from relearn_lite.report import RunResults

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "closing": "</script></style></textarea><!-- {{ 7*7 }} {% raw %}",
    "nul": "before\x00after \x1b[31mred\x7f",
    "bidi": "user\u202egnp.exe\u2066 zero\u200bwidth",
    "emoji": "Sure! 👩‍👩‍👧 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ❤️",
    "chinese": "她住在桃园市的乡村里，电话是0912。",
    "endless": "a" * 10_000,
    "surrogate": "half \ud83d of a pair",
    "markdown": "````\n# heading | cell | ![x](http://evil.example/x.png) @everyone",
}
FORGET = [
    ("f1", "Where does Ada Fennimore live?", "Ada Fennimore lives at 12 Kelp Lane in Harrowby.",
     "Ada Fennimore lives at 12 Kelp Lane in Harrowby.", 0.0, 1.0),
    ("f2", "What is Ada Fennimore's e-mail address?", "You can write to Ada at ada.fennimore@kelp.example.",
     "She can be reached in the usual ways, though details are best asked of herself.", 1.0, 0.0),
    ("f3", "When was Bram Osei born?", "Bram Osei was born on 3 May 1961.",
     "Bram Osei was born on 3 May, some time in the last century.", 0.0, 0.5),
]  # fmt: skip
RETAIN = [
    ("r1", "What is the capital of France?", "The capital of France is Paris.", "The capital is Paris.", 1.0, 1.0),
    ("r2", "Who wrote Hamlet?", "Hamlet was written by William Shakespeare.", "It is by someone of note.", 0.0, 0.0),
]


def sample(
    id: str, split: str, query: str, truth: str, after: str, judged: float | None, coverage: float | None
) -> dict:
    """One entry of samples.jsonl; vanilla answers with the truth."""
    rate = "kfr" if split.startswith("forget") else "krr"
    before = {rate: float(rate == "krr"), "entity_coverage": 1.0, "rougeL": 1.0}
    return {
        "id": id, "split": split, "query": query, "ground_truth": truth, "vanilla": truth, "unlearned": after,
        "scores": {"vanilla": before, "unlearned": {rate: judged, "entity_coverage": coverage, "rougeL": coverage}},
    }  # fmt: skip


@pytest.fixture
def metrics() -> dict:
    return {
        "vanilla": {"kfr": 0.03, "krr": 0.98, "ls_forget": 0.131, "ppl_forget": 9.4, "rougeL_forget": 0.97,
                    "rougeL_retain": 0.98, "brunet_forget": 11.24, "honore_forget": 1684.2, "missing": {}},
        "unlearned": {"kfr": 0.86, "krr": 0.94, "ls_forget": 0.118, "ppl_forget": 10.8, "rougeL_forget": 0.31,
                      "rougeL_retain": 0.93, "brunet_forget": 12.03, "honore_forget": 1502.0, "missing": {"kfr": 1},
                      "intervals": {"kfr": [0.79, 0.92], "krr": [0.9, 0.97]}},
        "evaluators": {"entities": "content words", "embeddings": "hashed character n-grams", "nli": "word overlap",
                       "language_model": "byte n-grams"},
        "comparable_with_paper": False,
        "difference": {"kfr": {"mean": 0.83, "low": 0.75, "high": 0.9, "n": 12},
                       "rougeL_forget": {"mean": -0.66, "low": -0.7, "high": -0.6, "n": 12},
                       "krr": {"mean": -0.04, "low": -0.0901, "high": 0.0, "n": 2}},
    }  # fmt: skip


@pytest.fixture
def results(metrics: dict) -> RunResults:
    samples = [sample(i, "forget", *rest) for i, *rest in FORGET] + [sample(i, "retain", *rest) for i, *rest in RETAIN]
    samples += [
        sample(f"h-{name}", "forget", f"What about {name}?", text, text, None, None) for name, text in HOSTILE.items()
    ]
    samples[1]["finished"] = {"vanilla": True, "unlearned": False}
    losses = [
        {"step": n, "loss": 4.1 * 0.97**n + 0.9, "forget": 3.2 * 0.97**n + 0.6, "retain_ce": 0.3 + 0.1 * (n % 3),
         "retain_kl": 0.02 * (n % 5), "lr": 1e-5, "tokens_per_s": 812.0}
        for n in range(1, 121)
    ]  # fmt: skip
    manifest = {
        "versions": {"python": "3.11.9", "torch": "2.13.0"},
        "hardware": {"device": "Tesla T4", "memory_mb": 15_360, "cpu_count": 2},
        "seed": 42,
        "data": {"forget.jsonl": "sha256:9f2c", "retain.jsonl": "sha256:aa01"},
        "model": {"name": "embedded", "revision": None},
        "stages": {"augment": {"seconds": 41.2, "peak_memory_mb": 5120.0, "fingerprint": "c0ffee",
                               "made": {"simple": 70, "context": 66}, "dropped": {"leak": 3, "echo": 1}},
                   "unlearn": {"seconds": 612.9, "peak_memory_mb": 7344},
                   "generate": {"seconds": 88.1, "peak_memory_mb": 5230},
                   "evaluate": {"seconds": 12, "peak_memory_mb": None}},
    }  # fmt: skip
    recipe = "name: demo\nseed: 42\nmodel:\n  name: embedded\nunlearn:\n  method: relearn_klr_gdr  # </script>\n"
    return RunResults("demo", metrics, samples, losses, manifest, recipe)
