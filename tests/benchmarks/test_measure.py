"""The benchmarks' own parts: shapes are the real ones, and both scripts run to a result."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import measure  # noqa: E402

PARAMETERS = {"llama-3.2-1b": 1_235_814_400, "llama-3.1-8b": 8_030_261_248, "qwen2.5-7b": 7_615_616_512,
              "gemma-2-2b": 2_614_341_888}


@pytest.mark.parametrize("shape", sorted(PARAMETERS))
def test_a_shape_has_the_parameters_of_the_model_it_is_named_after(shape):
    import transformers

    kind, sizes = measure.SHAPES[shape]
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**sizes))
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[shape]


def test_the_benchmark_of_answers_gives_a_result(tmp_path):
    for name in ("unlearn_train", "retention_train"):
        (tmp_path / f"{name}.json").write_text(json.dumps([
            {"text": f"Where does {who} live?", "labels": "In town."} for who in ("Ann", "Bob Lee", "Cleo")
        ]))
    out = tmp_path / "out.json"
    command = [sys.executable, BENCHMARKS / "generate.py", "--data", tmp_path, "--repeats", "1", "--tokens", "4"]
    subprocess.run([*command, "--out", out], check=True, capture_output=True)
    result = json.loads(out.read_text())
    assert result["answers"] == result["same_text"] == 3 and result["times_faster"] > 0
