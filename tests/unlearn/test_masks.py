"""SURE and MemFlex by hand on two small matrices, and in a real training step."""

import copy

import pytest
import torch
from test_module import BATCH, PAD, load, shake, textbook

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.batches import UnlearnBatches
from relearn_lite.data.examples import Example
from relearn_lite.models.loaded import UNLEARNED, active_adapters
from relearn_lite.recipe import Trainer, Unlearn
from relearn_lite.recipe.hyperparameters import MemFlex, Sure
from relearn_lite.unlearn.gradient_masks import Sides, memflex, sure
from relearn_lite.unlearn.losses import METHODS, factors
from relearn_lite.unlearn.module import UnlearnModule
from relearn_lite.unlearn.train import train

T = torch.tensor
# Rows of norm 5, 13 and 1; 10 and 0.
FORGET = {"a": T([[3.0, 4.0], [5.0, 12.0], [1.0, 0.0]]), "b": T([[6.0, 8.0], [0.0, 0.0]])}


def test_sure_keeps_the_rows_from_the_percentile_on():
    """Norms 0, 1, 5, 10, 13: the median is 5, the 75th percentile 10, the 80th 10.6."""
    kept = {p: {k: v.tolist() for k, v in sure(FORGET, Sure(percentile=p)).items()} for p in (0, 50, 75, 80)}
    assert kept[0] == {"a": [True] * 3, "b": [True] * 2}
    assert kept[50] == {"a": [True, True, False], "b": [True, False]}
    assert kept[75] == {"a": [False, True, False], "b": [True, False]}
    assert kept[80] == {"a": [False, True, False], "b": [False, False]}
    assert sure({}, Sure()) == {}


def test_memflex_takes_matrices_that_differ_and_matter():
    forget = {"alike": T([[2.0, 0.0]]), "across": T([[0.0, 2.0]]), "against": T([[-2.0, 0.0]]),
              "weak": T([[0.0, 1e-4]]), "still": T([[0.0, 0.0]]), "apart": T([[0.92, 0.4]]),
              "forget only": T([[1.0, 1.0]])}
    retain = {name: T([[1.0, 0.0]]) for name in forget if name != "forget only"}
    # "apart": cosine 0.92 / sqrt(0.92² + 0.4²) = 0.917; mean |gradient| of "across" 1, of "weak" 0.00005.
    assert memflex(forget, retain, MemFlex()) == {"across", "against", "apart"}
    assert memflex(forget, retain, MemFlex(similarity=0.9)) == {"across", "against"}
    assert memflex(forget, retain, MemFlex(gradient=1.0)) == set(), "above, not at"
    assert memflex(forget, retain, MemFlex(gradient=1e-5)) == {"across", "against", "apart", "weak"}


class Hand:
    """Two matrices whose losses are linear: gradients are the numbers written here, whatever the weights."""

    def __init__(self, parameters):
        self.trained = {"a": torch.nn.Parameter(torch.zeros(3, 2)), "b": torch.nn.Parameter(torch.zeros(2, 2))}
        self.sides = Sides(self.trained, parameters)

    def backward(self, side, gradients, weight, unscale=1.0):
        loss = sum((self.trained[name] * gradient).sum() for name, gradient in gradients.items())
        self.sides.backward(side, loss, weight, unscale)

    def gradients(self):
        return {name: None if p.grad is None else p.grad.tolist() for name, p in self.trained.items()}


RETAIN = {"a": T([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), "b": T([[3.0, 4.0], [0.0, 0.0]])}


def test_sure_by_hand():
    """ga_gdr_sure: the total gradient is -forget + retain; rows of norm 5, 13 and 10 are at or above the median."""
    hand = Hand(Sure(percentile=50))
    hand.backward("forget", FORGET, -1.0)
    hand.backward("retain", RETAIN, 1.0)
    assert hand.gradients() == {"a": [[-2, -3], [-4, -11], [0, 1]], "b": [[-3, -4], [0, 0]]}
    hand.sides.mask()
    assert hand.gradients() == {"a": [[-2, -3], [-4, -11], [0, 0]], "b": [[-3, -4], [0, 0]]}


def test_memflex_by_hand():
    """ga_gdr_memflex: -0.4 forget + 2 retain. b's gradients are parallel (cosine 1), a's are not (25 / 34.2 = 0.73)."""
    hand = Hand(MemFlex())
    hand.backward("forget", FORGET, -0.4)
    hand.backward("retain", RETAIN, 2.0)
    hand.sides.mask()
    torch.testing.assert_close(hand.trained["a"].grad, T([[0.8, 0.4], [0.0, -2.8], [1.6, 2.0]]))
    assert hand.gradients()["b"] is None, "the optimizer would move what has a gradient of 0"


def test_gradients_add_up_over_batches_and_the_loss_scale_is_taken_out():
    """Accumulation over two batches, each scaled by 4 x 1/2 as fp16 does: sides hold the mean, unscaled."""
    hand = Hand(Sure())
    for times in (1.0, 3.0):
        hand.backward("forget", {name: 2 * times * gradient for name, gradient in FORGET.items()}, 1.0, unscale=0.25)
    assert hand.sides.forget["a"].tolist() == (2 * FORGET["a"]).tolist()
    assert hand.gradients()["a"] == (8 * FORGET["a"]).tolist()
    hand.sides.clear()
    assert hand.sides.forget == {}


ROWS = [Example(tuple(range(s, s + 9)), 4) for s in (10, 31, 52, 73)]
KEPT = [Example(tuple(range(s, s + 8)), 3) for s in (110, 131, 152, 173)]


def one_step(folder, model_dir, method, steps=1, lr=1e-2, **keys):
    """One optimizer step (or more) over two accumulated batches of two; the weights before and after."""
    settings = Unlearn(
        method=method, epochs=steps, lr=lr, batch_size=2, accumulate=2, warmup_epochs=0, weight_decay=0, **keys
    )
    loaded = load(model_dir)
    shake(loaded, UNLEARNED)
    trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
    before = {name: p.detach().clone() for name, p in trained.items()}
    batches = UnlearnBatches([{"original": row} for row in ROWS], KEPT, batch_size=2, pad_id=PAD, seed=3)
    with active_adapters(loaded.model, loaded.unlearned):
        train(loaded, batches, terms=settings.objective, settings=settings, trainer=Trainer(accelerator="cpu"), seed=5,
              folder=folder, stage="unlearn", quiet=True)
    return before, {name: p.detach() for name, p in trained.items()}


def sides_of(model_dir):
    """Gradients of CE on all forget rows and on all retain rows, by plain autograd."""
    loaded = load(model_dir)
    shake(loaded, UNLEARNED)
    trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
    found = []
    with active_adapters(loaded.model, loaded.unlearned):
        for rows in (ROWS, KEPT):
            ids = torch.tensor([row.ids for row in rows])
            logits = loaded.model(input_ids=ids).logits[:, rows[0].n_prompt - 1 : -1].log_softmax(-1)
            loss = -logits.gather(-1, ids[:, rows[0].n_prompt :, None]).mean()
            found.append(dict(zip(trained, torch.autograd.grad(loss, trained.values()), strict=True)))
    return found


def test_a_real_step_with_sure_moves_the_chosen_rows_alone(tiny_model_dir, tmp_path):
    before, after = one_step(tmp_path, tiny_model_dir, "ga_gdr_sure", sure=Sure(percentile=90))
    forget, retain = sides_of(tiny_model_dir)
    norms = torch.cat([g.norm(dim=1) for g in forget.values()])
    moved = 0
    for name in before:
        changed = (after[name] - before[name]).abs().amax(1) > 0
        expected = forget[name].norm(dim=1) >= torch.quantile(norms, 0.9)
        assert torch.equal(changed, expected), name
        total = (retain[name] - forget[name])[changed]
        step = (after[name] - before[name])[changed]
        clear = total.abs() > 1e-3 * total.abs().max() if changed.any() else total.bool()
        assert torch.equal(step.sign()[clear], -total.sign()[clear]), "not against the total gradient"
        moved += int(changed.sum())
    assert moved == pytest.approx(0.1 * len(norms), abs=1)


def test_a_real_step_with_memflex_moves_the_chosen_matrices_alone(tiny_model_dir, tmp_path):
    forget, retain = sides_of(tiny_model_dir)
    cosines = {n: torch.cosine_similarity(forget[n].flatten(), retain[n].flatten(), dim=0).item() for n in forget}
    means = {n: forget[n].abs().mean().item() for n in forget}
    middle = sorted(cosines.values())[len(cosines) // 2] + 1e-4
    weakest = sorted(means.values())[len(means) // 4] + 1e-7
    expected = {n for n in forget if cosines[n] < middle and means[n] > weakest}
    assert 0 < len(expected) < len(forget) - 2
    settings = MemFlex(similarity=middle, gradient=weakest)
    before, after = one_step(tmp_path, tiny_model_dir, "ga_gdr_memflex", memflex=settings)
    assert {n for n in before if not torch.equal(before[n], after[n])} == expected


@pytest.mark.parametrize("method", ["ga_gdr", "npo_klr", "ga_gdr_memflex"])
def test_both_sides_add_up_to_the_loss(tiny_model_dir, method):
    """The gradient that a mask is laid on is the whole loss's."""
    loaded = load(tiny_model_dir)
    reference = copy.deepcopy(loaded.model).eval()
    shake(loaded, UNLEARNED)
    trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
    module = UnlearnModule(loaded, METHODS[method], lr=1e-3, weight_decay=0, total_steps=1, warmup_steps=0)
    module._sides = Sides(trained, Sure())
    module.trainer = type("Trainer", (), {"accumulate_grad_batches": 1})()
    with active_adapters(loaded.model, loaded.unlearned), active_adapters(reference, ()):
        module._backward_apart(module._terms(BATCH), torch.tensor(1.0))
        expected = torch.autograd.grad(textbook(method, loaded.model, reference), trained.values())
    for (name, p), gradient in zip(trained.items(), expected, strict=True):
        torch.testing.assert_close(p.grad, gradient, rtol=1e-3, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    assert factors(METHODS["ga_gdr_memflex"]) == (0.4, 2.0)


def test_a_step_is_chosen_by_its_own_gradients(tiny_model_dir, tmp_path, monkeypatch):
    """Two steps on the same rows and, with next to no learning rate, the same weights: the same gradients."""
    seen = []
    monkeypatch.setattr(Sides, "mask", lambda sides: seen.append(max(sides.forget.values(), key=torch.norm)))
    one_step(tmp_path, tiny_model_dir, "ga_gdr_sure", steps=2, lr=1e-30)
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-6)
    assert len(seen) == 2 and seen[0].abs().max() > 1e-4


def test_several_devices_are_refused(tiny_model_dir, tmp_path, monkeypatch):
    from relearn_lite.unlearn import module

    monkeypatch.setattr(module, "SingleDeviceStrategy", int)  # as if the strategy were another
    with pytest.raises(RecipeError, match="unlearn.gradient_mask: sure works on one device only"):
        one_step(tmp_path, tiny_model_dir, "ga_gdr_sure")
