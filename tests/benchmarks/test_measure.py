"""The benchmarks' own parts: shapes are the real ones, scripts run to a result, and the plan is what a card showed."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import cards  # noqa: E402
import generate  # noqa: E402
import measure  # noqa: E402
import write  # noqa: E402

PARAMETERS = {"llama-3.2-1b": 1_235_814_400, "llama-3.1-8b": 8_030_261_248, "qwen2.5-7b": 7_615_616_512,
              "gemma-2-2b": 2_614_341_888}


@pytest.mark.parametrize("shape", sorted(PARAMETERS))
def test_a_shape_has_the_parameters_of_the_model_it_is_named_after(shape):
    import transformers

    kind, sizes = measure.SHAPES[shape]
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**sizes))
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[shape]


# What training took at its peak on a card, in GB (benchmarks/gpu.md): rank 32, batch 1, rows of 512 tokens, 4 bit
MEASURED = {"llama-3.2-1b": 2.009, "llama-3.1-8b": 8.013}


@pytest.mark.parametrize("shape", sorted(MEASURED))
def test_the_plan_is_what_was_measured_on_a_card(shape, tmp_path):
    import transformers

    kind, sizes = measure.SHAPES[shape]
    getattr(transformers, kind)(**sizes, architectures=["LlamaForCausalLM"]).save_pretrained(tmp_path)
    options = argparse.Namespace(length=512, rank=32, batch=1, optimizer="adamw", offload=False)
    planned = cards.planned(options, tmp_path)
    assert planned == pytest.approx(1000 * MEASURED[shape], rel=0.02)


def test_the_benchmark_of_cards_says_that_it_needs_one():
    done = subprocess.run([sys.executable, BENCHMARKS / "cards.py"], capture_output=True, text=True)
    assert done.returncode == 1 and "there is no GPU" in done.stderr


def test_the_benchmark_of_answers_gives_a_result(tmp_path, monkeypatch):
    for name in ("unlearn_train", "retention_train"):
        (tmp_path / f"{name}.json").write_text(json.dumps([
            {"text": f"Where does {who} live?", "labels": "In town."} for who in ("Ann", "Bob Lee", "Cleo")
        ]))
    out = tmp_path / "out.json"
    command = ["generate.py", "--data", str(tmp_path), "--repeats", "1", "--tokens", "4", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    generate.main()
    result = json.loads(out.read_text())
    assert result["answers"] == result["same_text"] == 3 and result["times_faster"] > 0


def test_writing_is_measured_in_both_ways_and_counted(tiny_model_dir, tmp_path, monkeypatch):
    """A random model writes nothing that can be used, but its prompts are those of a real one."""
    out = tmp_path / "write.json"
    command = ["write.py", "--model", str(tiny_model_dir), "--data", "nowhere.json", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*command, "--questions", "3", "--tokens", "4", "--parts", "simple"])
    write.main()
    found = json.loads(out.read_text(encoding="utf-8"))["parts"]["simple"]
    before, now = found["before"], found["now"]
    assert now["ideal_prompt_tokens"] <= now["prompt_tokens"] < 0.8 * before["prompt_tokens"]
    assert now["useful_new_tokens"] and min(now["seconds"] + before["seconds"]) > 0


@pytest.mark.parametrize(("model", "package", "told"), [
    ("smollm2", None, "pip install --no-deps xllamacpp"), ("embedded", json, "give smollm2 or a .gguf"),
])
def test_a_server_that_cannot_be_had_is_told_before_anything_is_measured(model, package, told, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", package)
    monkeypatch.setattr(sys, "argv", ["write.py", "--llama", "--model", model])
    monkeypatch.setattr(write, "both_ways", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit, match=told):
        write.main()


def test_writing_through_a_llama_cpp_server_is_measured_too(tmp_path):
    """The same prompts, which the server computes and counts itself."""
    pytest.importorskip("xllamacpp", reason="a llama.cpp runtime is optional: pip install --no-deps xllamacpp")
    pytest.importorskip("gguf", reason="the package gguf is optional: requirements-real.txt")
    from relearn_lite.export.gguf_file import write_gguf
    from relearn_lite.models.transformers_backend import EMBEDDED

    write_gguf(EMBEDDED, tmp_path / "embedded.gguf", "f16")
    out = tmp_path / "write.json"
    command = [sys.executable, BENCHMARKS / "write.py", "--model", tmp_path / "embedded.gguf", "--llama", "--out", out]
    command += ["--data", "nowhere.json", "--questions", "3", "--tokens", "8", "--parts", "simple"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))["parts"]["simple"]
    server, now = found["llama.cpp"], found["now"]
    assert found["same_texts"] and server["records"] == now["records"] == 3
    assert now["ideal_prompt_tokens"] <= server["prompt_tokens"] < 1.1 * found["before"]["prompt_tokens"]
    assert 3 <= server["new_tokens"] <= 3 * (8 + 1)  # it may count the token that ends a text
    assert len(server["seconds"]) == 1 and server["seconds"][0] > 0


def test_what_several_prompts_begin_with_counts_once():
    assert write.once([[1, 2, 3], [1, 2, 4, 5], [9]]) == 6
    assert write.once([[1, 2], [1, 2], [1, 2, 3]]) == 3
