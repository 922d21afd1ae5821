"""What only a GPU can tell, on one: CUDA's 4-bit and 8-bit layers, bf16, fp16 with its loss scale, memory that runs
out, Unsloth's own kernels, and all stages one after the other.

    RELEARN_GPU_TESTS=transformers python -m pytest -o addopts= -ra -n 3 tests/models/test_gpu.py
    RELEARN_GPU_TESTS=unsloth python -m pytest -o addopts= -ra -n 3 tests/models/test_gpu.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from people import known, unseen
from trial import LORA, a_few_steps, adapter_bytes, example, logits, shake

from relearn_lite.core.memory import tell_once
from relearn_lite.data.batches import TrainingRows
from relearn_lite.data.examples import question_ids
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, complete
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters
from relearn_lite.recipe import Model, Unlearn
from relearn_lite.unlearn.train import TrainingRun, train

if not torch.cuda.is_available():
    pytest.skip("there is no GPU, or RELEARN_GPU_TESTS names no backend", allow_module_level=True)

ROOT = Path(__file__).parents[2]
BACKEND = os.environ["RELEARN_GPU_TESTS"]  # one a process: Unsloth changes how transformers trains beside it


def load(quantization="4bit", backend=None, **settings):
    return backends.load(Model(backend=backend or BACKEND, quantization=quantization, max_length=512, **settings), 7)


def with_adapters(**settings):
    """The embedded model under a vanilla adapter that changes every output, and a new one to train."""
    loaded = load(**settings)
    backends.add_adapter(loaded, VANILLA, LORA, 7)
    shake(loaded, VANILLA, 1, scale=0.02)
    loaded.vanilla_adapters = (VANILLA,)
    backends.add_adapter(loaded, UNLEARNED, LORA, 7)
    return loaded


def answers(loaded, adapters, count=16):
    records = known()[:count]
    prompts = [question_ids(loaded.tokenizer, qa.question) for qa in records]
    with active_adapters(loaded.model, adapters):
        found = complete(loaded, prompts, Decoding(48, 8))
    return sum(one.text == qa.answer for one, qa in zip(found, records, strict=True))


def alike(ours, theirs):
    """Whether two models say the same, but for what bf16 rounds away."""
    return (ours.float().softmax(-1) - theirs.float().softmax(-1)).abs().max() < 0.03


@pytest.mark.parametrize("quantization", ["none", "4bit", "8bit"])
def test_what_it_knows_it_tells_in_every_precision(quantization):
    loaded = load(quantization)
    layers = {type(layer).__name__ for layer in loaded.model.modules()}
    assert loaded.device.type == "cuda"
    assert {"4bit": "Linear4bit", "8bit": "Linear8bitLt", "none": "Linear"}[quantization] in layers
    assert answers(loaded, ()) >= 14


@pytest.mark.parametrize("half", ["bf16", "fp16"])
def test_training_moves_the_new_adapter_alone_and_stays_on_the_gpu(half, tmp_path, monkeypatch):
    """fp16 is what cards without bf16 take (T4): the loss is scaled, and gradients that overflow are skipped."""
    if half == "fp16":
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: False)
    loaded = with_adapters()
    frozen = {name: p.detach().clone() for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." not in name}
    start = adapter_bytes(loaded, UNLEARNED)
    with active_adapters(loaded.model, loaded.vanilla_adapters):
        before = logits(loaded)
    assert a_few_steps(loaded, tmp_path) == 4
    assert loaded.device.type == "cuda"
    for name, p in loaded.model.named_parameters():
        if f".{UNLEARNED}." in name:
            assert p.dtype == torch.float32 and p.isfinite().all()
        else:
            assert torch.equal(p, frozen[name]), name
    assert len(set(adapter_bytes(loaded, UNLEARNED).values()) - set(start.values())) == len(start)
    with active_adapters(loaded.model, loaded.vanilla_adapters):
        assert torch.equal(logits(loaded), before)
    with active_adapters(loaded.model, ()):
        base = logits(loaded)
    if BACKEND == "transformers":
        assert torch.equal(base, logits(load()))
    else:  # where Unsloth's model has no adapter it takes other kernels, which round otherwise
        assert alike(base, logits(load()))


def test_answers_between_two_trainings_leave_training_as_it_was(tmp_path):
    """Unsloth switches to generating and back; gradient checkpointing must be on again, or memory runs out."""
    loaded = with_adapters()
    assert loaded.checkpointing and loaded.model.is_gradient_checkpointing
    a_few_steps(loaded, tmp_path / "first")
    answers(loaded, loaded.unlearned_adapters, count=4)
    used = []
    for layer in loaded.model.get_base_model().model.layers:
        layer.register_forward_hook(lambda layer, *_: used.append((layer.training, bool(layer.gradient_checkpointing))))
    a_few_steps(loaded, tmp_path / "second")
    assert (True, True) in used and (True, False) not in used


def test_an_adapter_is_read_by_transformers(tmp_path):
    loaded = with_adapters()
    a_few_steps(loaded, tmp_path / "run")
    again = load(backend="transformers")
    for name in (VANILLA, UNLEARNED):
        backends.save_adapter(loaded, name, tmp_path / name)
        backends.load_adapter(again, name, tmp_path / name)
    on = loaded.unlearned_adapters
    with active_adapters(loaded.model, on), active_adapters(again.model, on):
        assert alike(logits(loaded), logits(again))


def long_rows(loaded, folder, **settings):
    """Two epochs of eight long rows each side, a batch of eight: what a full card is given."""
    rows = [{"augmented": example(start, 480)} for start in range(10, 90, 10)]
    retain = [example(start, 400) for start in range(100, 180, 10)]
    options = Unlearn(epochs=2, lr=1e-3, batch_size=8, accumulate=1, warmup_epochs=0, **settings)
    with active_adapters(loaded.model, loaded.unlearned_adapters):
        train(loaded, TrainingRows(rows, retain), options, TrainingRun("unlearn", folder, 3, quiet=True))
    return torch.cat([p.detach().flatten() for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." in name])


def test_where_memory_runs_out_smaller_pieces_give_the_same_steps(tmp_path, capfd):
    tell_once.cache_clear()
    roomy = long_rows(with_adapters(gradient_checkpointing=False), tmp_path / "roomy")
    whole_card = torch.cuda.get_device_properties(0).total_memory
    loaded = with_adapters(gradient_checkpointing=False)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    room = torch.cuda.memory_reserved() + 160 * 2**20
    torch.cuda.set_per_process_memory_fraction(room / whole_card)
    try:
        tight = long_rows(loaded, tmp_path / "tight")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "Out of memory: batches are computed in pieces" in capfd.readouterr().err
    assert torch.cuda.max_memory_reserved() <= room
    assert torch.nn.functional.cosine_similarity(roomy, tight, dim=0) > 0.999


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    """With dropout, so that the GPU's random state counts."""
    class Stop(Exception):
        pass

    from lightning import Callback

    class Power(Callback):
        def on_train_batch_end(self, trainer, *_):
            if trainer.global_step == 5:
                raise Stop

    def run(folder, callbacks=()):
        loaded = load()
        backends.add_adapter(loaded, UNLEARNED, LORA.model_copy(update={"dropout": 0.2}), 7)
        rows = [{"augmented": example(start, 12)} for start in (10, 20, 30, 40)]
        retain = [example(s, 9) for s in (60, 70, 80, 90)]
        settings = Unlearn(epochs=2, lr=1e-2, batch_size=1, accumulate=1, warmup_epochs=0, checkpoint_every=2)
        with active_adapters(loaded.model, loaded.unlearned_adapters):
            rows = TrainingRows(rows, retain)
            train(loaded, rows, settings, TrainingRun("unlearn", folder, 1, quiet=True), callbacks)
        return torch.cat([p.detach().flatten() for name, p in loaded.model.named_parameters() if UNLEARNED in name])

    whole = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "broken", [Power()])
    torch.testing.assert_close(run(tmp_path / "broken"), whole, rtol=1e-3, atol=1e-4)


def test_every_stage_runs(tmp_path):
    """In a process of its own, as a user starts it; short, so what comes out is not good, but it is there."""
    holdout = tmp_path / "unseen.jsonl"
    rows = [{"question": qa.question, "answer": qa.answer} for qa in unseen(8)]
    holdout.write_text("".join(json.dumps(row) + "\n" for row in rows))
    metrics = "[kfr, krr, ls, rouge, exact_memorization, probability, mia_min_k, mia_gradnorm, leak_at_k]"
    command = [
        sys.executable, "main.py", "recipes/attacks.yaml", f"model.backend={BACKEND}", "analyze={questions: 4}",
        "data={forget: {preset: people/forget, limit: 8}, retain: {preset: people/retain, limit: 8}, "
        f"holdout: {{path: {holdout}}}}}", "unlearn.epochs=2", "unlearn.evaluate_every=4", "attacks.questions=2",
        f"evaluate.metrics={metrics}", "attacks.relearn.steps=5", "--runs", str(tmp_path), "--quiet",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "attacks"
    found = json.loads((folder / "metrics.json").read_text())["unlearned"]
    attacks = json.loads((folder / "attacks.json").read_text())["attacks"]
    assert {name: why for name, why in found["reasons"].items() if why} == {}
    assert {attack["attack"]: attack["reason"] for attack in attacks if attack["reason"]} == {}
    assert (folder / "analysis.json").exists() and (folder / "report.html").exists()
