"""A run as it might have been, with answers as bad as they come."""

from __future__ import annotations

import pytest

from relearn_lite.report.run_results import RunResults

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
    id: str, split: str, query: str, truth: str, after: str, judged: float | None, left: float | None
) -> dict:
    """One entry of samples.jsonl; vanilla answers with the truth."""
    rate = "kfr" if split.startswith("forget") else "krr"
    before = {rate: float(rate == "krr"), "rougeL": 1.0}
    return {
        "id": id, "split": split, "query": query, "ground_truth": truth, "vanilla": truth, "unlearned": after,
        "scores": {"vanilla": before, "unlearned": {rate: judged, "rougeL": left}},
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
        "differences_from_paper": ["model.chat_template is auto; the paper's is none.", "finetune is null."],
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


def attack_line(attack, way, kfr, krr, reason=None, **more):
    return {
        "attack": attack, "way": way, "title": "", "kfr": kfr, "krr": krr, "reason": reason, "missing": {},
        "intervals": {} if kfr is None else {"kfr": [0.1, 0.9]}, "questions": {"forget": 4, "retain": 3}, **more,
    }  # fmt: skip


@pytest.fixture
def attacks():
    leak = {
        "id": "f1", "question": "Where does Ada Fennimore live?", "ground_truth": "At 12 Kelp Lane in Harrowby.",
        "words_back": 0.875, "attack": "jailbreak", "way": "prefix", "prompt": "<script>alert(1)</script> Harrowby?",
        "response": "<img src=x onerror=alert(2)> 12 Kelp Lane in Harrowby\x00", "plain": False,
        "ways": ["jailbreak: prefix", "precision: 8bit", "sampling: draw 1", "sampling: draw 2"],
    }  # fmt: skip
    curve = {"examples": ["e"], "reason": None, "steps": [0, 5, 10], "kfr": [1.0, 0.5, 0.25], "krr": [1.0, None, 1.0],
             "missing": [{}, {}, {}], "intervals": [{}, {}, {}], "questions": {"forget": 3, "retain": 3}}  # fmt: skip
    return {
        "questions": {"forget": 4, "retain": 3}, "plain": attack_line("plain", "plain", 1.0, 1.0),
        "attacks": [
            attack_line("jailbreak", "prefix", 0.75, 0.9, title="forced start", missing={"kfr": 1}),
            attack_line("jailbreak", "worst", 0.5, 0.8),
            attack_line("sampling", "leak@k", 1.0, 1.0, k=8, draws=16, leak_at_k=0.0),
            attack_line("precision", "8bit", 0.25, 1.0),
            attack_line("precision", "fp16", None, None, "no <b>halves</b> here"),
        ],
        "any": attack_line("any", "worst", 0.0, 0.7), "leaks": [leak],
        "relearning": {"forget": curve, "unrelated": {"examples": [], "reason": "data.generic holds no examples"}},
    }  # fmt: skip


def token_summary(p):
    return {"p": p, "all_p": p, "first_p": p, "first_rank": 1.0, "first_entropy": 0.5,
            "median_rank": 1.0, "likeliest": p, "entropy": 1.25, "words_in_top5": 0.8,
            "non_word": 0.1, "other_words": 0.9 - 0.9 * p, "other_non_words": 0.1 - 0.1 * p, "tokens": 4}  # fmt: skip


def layers(last):
    return {"p": [0.0, None, last], "likeliest": [0, 0, 1], "median_rank": [9, 5, 1], "first_layer": 1.5, "never": None}


def parts(sign):
    return [
        {"layer": layer, "head": head, "holds": sign * (layer + 1.0), "restores": sign * 0.5, "moved": 0.25}
        for layer in range(2) for head in (0, 1, None)
    ]  # fmt: skip


@pytest.fixture
def analysis():
    models = ("vanilla", "unlearned")
    row = {"p": [0.9, 0.8], "rank": [1, 1], "top": [[["Harrowby", 0.9]], [["Kelp", 0.8]]]}
    new = {"p": [0.1, 0.7], "rank": [321, 2], "top": [[["<b>vague", 0.5]], [["\x00", 0.2]]]}
    shift = {"moved": 0.8, "lost": 0.7, "to_words": 0.6, "to_non_words": 0.1, "to_five": 0.9,
             "gainers": [{"token": " Harrowby", "gained": 0.5, "word": True}]}  # fmt: skip
    part_summary = {"holders": [[1, None], [0, 1]], "restorers": [[0, 0]], "moved": 0.25, "moved_of_holders": 0.5,
                    "agreement": None}  # fmt: skip
    side = {"logprob": {"vanilla": -0.1, "unlearned": -2.1}, "everything": -0.1, "parts": parts(1)}
    return {
        "models": list(models),
        "questions": {"forget": 1, "retain": 1},
        "distribution": {
            "summary": {"forget": dict(zip(models, map(token_summary, (0.9, 0.25)), strict=True)),
                        "retain": dict(zip(models, map(token_summary, (0.95, 0.94)), strict=True))},
            "seesaw": {"unlearned": {"forget": shift, "retain": None}},
            "questions": [{"id": "f1", "side": "forget", "tokens": ["Harrowby", "Kelp"], "telling": [True, True],
                           "models": {"vanilla": row, "unlearned": new}}],
        },
        "memory": {
            "summary": {s: {m: layers(0.5) for m in models} for s in ("forget", "retain")},
            "distance": {s: {"unlearned": {"cosine": [0, 0.1, 0.2], "relative_l2": [0, 0.3, 0.4]}}
                         for s in ("forget", "retain")},
        },
        "circuits": {"method": "patching", "layers": 2, "heads": 2, "sides": {"forget": side, "retain": None},
                     "summary": {"forget": part_summary, "retain": None}},
    }  # fmt: skip
