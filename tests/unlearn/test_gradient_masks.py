"""SURE and MemFlex by hand on two small matrices, and in a real training step."""

from types import SimpleNamespace

import pytest
import torch
from trainings import adapter, example, load, shake, unlearn

from relearn_lite.models.loaded import active_adapters
from relearn_lite.recipe.hyperparameters import MemFlex, Sure
from relearn_lite.unlearn.gradient_masks import GradientMask, memflex, sure

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
    """Two matrices with gradients that are written here, in a step whose forget term has this weight."""

    def __init__(self, parameters, weight=1.0, ascends=True, scale=None, retain=True):
        self.model = torch.nn.Module()
        for name, value in FORGET.items():
            self.model.register_parameter(name, torch.nn.Parameter(torch.zeros_like(value)))
        term = SimpleNamespace(weight=weight, loss=SimpleNamespace(ascends=ascends))
        self.terms = [term, "a retain term"] if retain else [term]
        scaler = scale and SimpleNamespace(get_scale=lambda: scale)
        strategy = SimpleNamespace(reduce=lambda value, reduce_op: value)
        self.trainer = SimpleNamespace(strategy=strategy, precision_plugin=SimpleNamespace(scaler=scaler))
        self.mask = GradientMask(parameters)

    def ends_step(self, _):
        return False

    def add(self, side, gradients, times=1.0):
        """A micro-batch of one side, as backward passes add it up."""
        for name, gradient in gradients.items():
            parameter = getattr(self.model, name)
            parameter.grad = times * gradient if parameter.grad is None else parameter.grad + times * gradient
        parts = {"original": ...} if side == "forget" else {"retain": ...}
        self.mask.on_train_batch_end(self.trainer, self, None, {"parts": parts}, 0)

    def step(self, unscale=1.0):
        for _, parameter in self.model.named_parameters():
            parameter.grad.mul_(unscale)
        self.mask.on_before_optimizer_step(self.trainer, self, None)
        return {name: None if p.grad is None else p.grad.tolist() for name, p in self.model.named_parameters()}


RETAIN = {"a": T([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), "b": T([[3.0, 4.0], [0.0, 0.0]])}


def test_sure_by_hand():
    """ga_gdr_sure: the total gradient is -forget + retain; rows of norm 5, 13 and 10 are at or above the median."""
    hand = Hand(Sure(percentile=50))
    hand.add("forget", FORGET, -1.0)
    hand.add("retain", RETAIN)
    assert hand.step() == {"a": [[-2, -3], [-4, -11], [0, 0]], "b": [[-3, -4], [0, 0]]}


def test_sure_without_a_retain_term_goes_by_the_whole_gradient():
    hand = Hand(Sure(percentile=50), retain=False)
    hand.add("forget", FORGET)
    assert hand.step() == {"a": [[3, 4], [5, 12], [0, 0]], "b": [[6, 8], [0, 0]]}


def test_memflex_by_hand():
    """ga_gdr_memflex: -0.4 forget + 2 retain. b's gradients are parallel (cosine 1), a's are not (25 / 34.2 = 0.73).

    The forget gradient that counts is that of the loss before its sign is turned, without its weight.
    """
    hand = Hand(MemFlex(), weight=0.4)
    hand.add("forget", FORGET, -0.4)
    hand.add("retain", RETAIN, 2.0)
    found = hand.step()
    torch.testing.assert_close(T(found["a"]), T([[0.8, 0.4], [0.0, -2.8], [1.6, 2.0]]))
    assert found["b"] is None, "the optimizer would move what has a gradient of 0"
    at_the_bound = Hand(MemFlex(gradient=4.2, similarity=1.0), weight=0.4)  # mean |forget| of a is 25 / 6 = 4.17
    at_the_bound.add("forget", FORGET, -0.4)
    at_the_bound.add("retain", RETAIN, 2.0)
    assert at_the_bound.step()["a"] is None


def test_gradients_add_up_over_batches_and_the_loss_scale_is_taken_out():
    """Two forget batches, then retain, each scaled by 8 as fp16 does and unscaled before the step."""
    hand = Hand(Sure(percentile=50), scale=8.0)
    for times in (0.25, 0.75):
        hand.add("forget", FORGET, -8.0 * times)
    hand.add("retain", RETAIN, 8.0)
    assert hand.step(unscale=1 / 8) == {"a": [[-2, -3], [-4, -11], [0, 0]], "b": [[-3, -4], [0, 0]]}


ROWS = [example(s, 9) for s in (10, 31, 52, 73)]
KEPT = [example(s, 8, 3) for s in (110, 131, 152, 173)]


def one_step(folder, model_dir, method, steps=1, lr=1e-2, **keys):
    """One optimizer step (or more) over two accumulated batches of two; the weights before and after."""
    loaded = load(model_dir)
    shake(loaded)
    before = adapter(loaded)
    unlearn(loaded, [{"original": row} for row in ROWS], KEPT, folder, method=method, epochs=steps, lr=lr, batch_size=2,
            accumulate=2, warmup_epochs=0, weight_decay=0, **keys)  # fmt: skip
    return before, adapter(loaded)


def sides_of(model_dir):
    """Gradients of CE on all forget rows and on all retain rows, by plain autograd."""
    loaded = load(model_dir)
    shake(loaded)
    trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
    found = []
    with active_adapters(loaded.model, loaded.unlearned_adapters):
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


def test_a_step_is_chosen_by_its_own_gradients(tiny_model_dir, tmp_path, monkeypatch):
    """Two steps on the same rows and, with next to no learning rate, the same weights: the same gradients."""
    from relearn_lite.unlearn import gradient_masks

    seen = []
    largest = lambda forget, _: seen.append(max(forget.values(), key=torch.norm)) or {}  # noqa: E731
    monkeypatch.setattr(gradient_masks, "sure", largest)
    one_step(tmp_path, tiny_model_dir, "ga_gdr_sure", steps=2, lr=1e-30)
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-6)
    assert len(seen) == 2 and seen[0].abs().max() > 1e-4
