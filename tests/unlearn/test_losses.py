"""The losses against published numbers, and against the plain formula."""

import json
from pathlib import Path

import pytest
import torch

from relearn_lite.unlearn.losses import method_loss

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "losses.json"


def golden_cases():
    return json.loads(GOLDEN.read_text()) if GOLDEN.exists() else []


def tensors(batches):
    return {
        part: {
            key: torch.tensor(value, dtype=torch.long if key == "labels" else torch.float64)
            for key, value in tensors.items()
        }
        for part, tensors in batches.items()
    }


@pytest.mark.skipif(not GOLDEN.exists(), reason="needs ../shared/golden/losses.json, the published numbers")
def test_every_published_loss_is_reproduced():
    checked = 0
    for case in golden_cases():
        for name, expected in case["expected"].items():
            value = method_loss(name, tensors(case["batches"]), beta=case["beta"])
            assert value.item() == pytest.approx(expected, abs=1e-6), name
            checked += 1
    assert checked >= 24
