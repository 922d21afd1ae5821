"""The training step against the textbook (whole logits, a second model as reference), checkpoints, and resume."""

import copy

import pytest
import torch

from relearn_lite import backends
from relearn_lite.backends import UNLEARNED, VANILLA, active_adapters
from relearn_lite.data.batches import Example, UnlearnBatches, collate
from relearn_lite.errors import RecipeError
from relearn_lite.schema import Lora, Model, Trainer, Unlearn
from relearn_lite.unlearn.losses import METHODS
from relearn_lite.unlearn.module import UnlearnModule
from relearn_lite.unlearn.train import newest_checkpoint, train

PAD = 0
BATCH = {
    "augmented": collate([Example(tuple(range(10, 22)), 4), Example(tuple(range(40, 47)), 3)], PAD),
    "original": collate([Example(tuple(range(60, 70)), 4), Example(tuple(range(80, 92)), 5)], PAD),
    "retain": collate([Example(tuple(range(100, 108)), 3), Example(tuple(range(120, 132)), 6)], PAD),
}


def load(folder, vanilla=False, dropout=0.0):
    """A model with a fresh adapter to train; vanilla is the base, or the base with a frozen adapter that has effect."""
    loaded = backends.load(Model(name=str(folder), backend="transformers", quantization="none", max_length=64), 7)
    if vanilla:
        backends.add_adapter(loaded, VANILLA, Lora(r=4, dropout=0.5), 7)
        shake(loaded, VANILLA)
        loaded.vanilla = (VANILLA,)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, alpha=8, dropout=dropout), 7)
    return loaded


def shake(loaded, name):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, parameter in loaded.model.named_parameters():
            if f".{name}." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)


def module_of(loaded, method, monkeypatch):
    terms = METHODS[method]
    module = UnlearnModule(loaded, terms.forget, terms.retain, beta=0.1, lr=1e-3, weight_decay=0.01, total_steps=8,
                           warmup_steps=2)
    monkeypatch.setattr(module, "_log", lambda *_: None)  # logging needs a trainer
    return module


def textbook(method, model, reference, beta=0.1):
    """The method's loss as its papers write it, on whole logits and with a second model."""

    def answers(part, of=model):
        """Log-probabilities at the answers' positions, and which token and row each belongs to."""
        batch = BATCH[part]
        logits = of(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
        labels = batch["labels"][:, 1:]
        return logits.log_softmax(-1)[labels != -100], labels[labels != -100], (labels != -100).nonzero()[:, 0]

    def nll(part, of=model):
        logprobs, labels, rows = answers(part, of)
        return -logprobs[range(len(labels)), labels], rows

    forget, _, retain = method.partition("_klr" if "_klr" in method else "_gdr")
    loss = None
    if forget == "relearn":
        loss = nll("augmented")[0].mean()
    elif forget == "ga":
        loss = -nll("original")[0].mean()
    elif forget == "npo":
        ours, rows = nll("original")
        with torch.no_grad():
            theirs, _ = nll("original", reference)
        sums = torch.stack([(ours - theirs)[rows == row].sum() for row in range(2)])
        loss = -(2 / beta) * torch.nn.functional.logsigmoid(beta * sums).mean()
    elif forget == "relearn_dpo":
        with torch.no_grad():
            won, lost = nll("augmented", reference)[0].mean(), nll("original", reference)[0].mean()
        margin = (won - nll("augmented")[0].mean()) - (lost - nll("original")[0].mean())
        loss = -(2 / beta) * torch.nn.functional.logsigmoid(beta * margin)
    if "gdr" in method:
        loss = loss + nll("retain")[0].mean()
    if "klr" in method:
        with torch.no_grad():
            theirs = answers("retain", reference)[0]
        loss = loss + (theirs.exp() * (theirs - answers("retain")[0])).sum(-1).mean()
    return loss


@pytest.mark.parametrize("vanilla", [False, True], ids=["base knows", "adapter knows"])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_loss_and_gradients_are_the_textbook_s(tiny_model_dir, monkeypatch, method, vanilla):
    loaded = load(tiny_model_dir, vanilla)
    reference = copy.deepcopy(loaded.model).eval()
    shake(loaded, UNLEARNED)
    loaded.model.train()  # as in training: a dropout of vanilla, which is frozen, must not reach the reference
    with active_adapters(loaded.model, loaded.unlearned), active_adapters(reference, loaded.vanilla):
        trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
        expected = textbook(method, loaded.model, reference)
        gradients = torch.autograd.grad(expected, trained.values())
        loss = module_of(loaded, method, monkeypatch).training_step(BATCH, 0)
        loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    for (name, parameter), gradient in zip(trained.items(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    assert all(p.grad is None for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." not in name)
    assert sum(gradient.abs().sum() for gradient in gradients) > 1e-3


def test_the_methods_differ(tiny_model_dir, monkeypatch):
    """Guards the test above: with a reference that equals the model, KL would be 0 and its name without effect."""
    loaded = load(tiny_model_dir)
    shake(loaded, UNLEARNED)
    losses = {method: module_of(loaded, method, monkeypatch).training_step(BATCH, 0).item() for method in METHODS}
    assert len({round(loss, 4) for loss in losses.values()}) == len(METHODS)


class Killed(RuntimeError):
    pass


class Batches(UnlearnBatches):
    """Raises before batch number `last` of this try, as a power cut would come between two batches."""

    def __init__(self, last=None):
        rows = [{"augmented": Example(tuple(range(start, start + 9 + start % 5)), 4)} for start in range(10, 90, 10)]
        retain = [Example(tuple(range(start, start + 8 + start % 3)), 3) for start in range(105, 165, 10)]
        super().__init__(rows, retain, batch_size=2, pad_id=PAD, seed=3)
        self.last, self.given = last, 0

    def __iter__(self):
        for batch in super().__iter__():
            if self.given == self.last:
                raise Killed
            self.given += 1
            yield batch


def unlearn(folder, run, batches, *, lr=1e-2, epochs=3, accumulate=2, every=1):
    """Twelve batches and six steps, unless told otherwise."""
    loaded = load(folder, vanilla=True, dropout=0.1)
    settings = Unlearn(epochs=epochs, lr=lr, batch_size=2, accumulate=accumulate, checkpoint_every=every)
    with active_adapters(loaded.model, loaded.unlearned):
        steps = train(loaded, batches, terms=("ce", {"ce": 1.0, "kl": 1.0}), beta=0.1, settings=settings,
                      trainer=Trainer(accelerator="cpu"), seed=5, folder=run, stage="unlearn", quiet=True)
    return loaded, steps


def adapter(loaded):
    return {name: p.detach().clone() for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." in name}


def test_a_checkpoint_holds_adapter_optimizer_and_random_state_only(tiny_model_dir, tmp_path):
    loaded, steps = unlearn(tiny_model_dir, tmp_path, Batches(), epochs=1)
    assert steps == 2
    files = list((tmp_path / "checkpoints" / "unlearn").iterdir())
    assert files == [newest_checkpoint(tmp_path / "checkpoints" / "unlearn")]
    saved = torch.load(files[0], weights_only=True)
    assert saved["state_dict"].keys() == {f"model.{name}" for name in adapter(loaded)}
    assert all(torch.equal(saved["state_dict"][f"model.{name}"], value) for name, value in adapter(loaded).items())
    assert len(saved["optimizer_states"][0]["state"]) == len(adapter(loaded))
    assert saved["random_state"].shape == torch.get_rng_state().shape
    adapter_bytes = sum(value.nbytes for value in adapter(loaded).values())
    assert files[0].stat().st_size < 3 * adapter_bytes + 100_000, "adapter and two moments of AdamW, and little else"


@pytest.mark.parametrize("last", [1, 3, 4, 5, 7, 10], ids=lambda last: f"killed after {last} batches")
@pytest.mark.parametrize("every", [1, 2], ids=lambda every: f"saving every {every}")
def test_a_killed_run_ends_as_one_that_was_not(tiny_model_dir, tmp_path, last, every):
    """Bit by bit, with dropout, in the middle of an epoch and of an accumulated step."""
    whole, steps = unlearn(tiny_model_dir, tmp_path / "whole", Batches())
    assert steps == 6
    with pytest.raises(Killed):
        unlearn(tiny_model_dir, tmp_path / "killed", Batches(last), every=every)
    torch.rand(last)  # another process has drawn other numbers
    batches = Batches()
    resumed, steps = unlearn(tiny_model_dir, tmp_path / "killed", batches, every=every)
    assert steps == 6
    assert batches.given < 12 or last // 2 < every, "it started from nothing"
    assert all(torch.equal(value, adapter(resumed)[name]) for name, value in adapter(whole).items())


def test_a_finished_run_trains_no_more(tiny_model_dir, tmp_path):
    first, _ = unlearn(tiny_model_dir, tmp_path, Batches())
    batches = Batches()
    again, steps = unlearn(tiny_model_dir, tmp_path, batches)
    assert steps == 6 and batches.given == 0
    assert all(torch.equal(value, adapter(again)[name]) for name, value in adapter(first).items())


def test_diverged_training_is_an_error(tiny_model_dir, tmp_path):
    with pytest.raises(RecipeError, match="unlearn.lr: training diverged"):
        unlearn(tiny_model_dir, tmp_path, Batches(), lr=1e30)
