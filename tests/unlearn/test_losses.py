"""The losses against published numbers, and against the plain formula with its gradients."""

import json
from pathlib import Path

import pytest
import torch
from plain import Hidden, Row, plain

from relearn_lite.models.logprobs import shift
from relearn_lite.models.supervised import LayerStates
from relearn_lite.recipe.hyperparameters import CEU, RMU, WGA, SatImp, SimNPO, TaskVector, Undial
from relearn_lite.unlearn.losses import FORGET_LOSSES, METHODS, RETAIN_LOSSES, method_loss
from relearn_lite.unlearn.losses.rmu import direction

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "losses.json"
ON_LOGITS = sorted(set(METHODS) - {"rmu"})


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


def made_up(seed=0):
    """Logits of two rows with 3 and 5 supervised of 7 positions, over 6 tokens; both start behind a prompt."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.full((2, 7), -100)
    labels[0, 2:5] = torch.randint(0, 6, (3,), generator=generator)
    labels[1, 1:6] = torch.randint(0, 6, (5,), generator=generator)
    policy, reference = torch.randn(2, 2, 7, 6, generator=generator, dtype=torch.float64) * 2
    return {"policy_logits": policy.requires_grad_(), "reference_logits": reference, "labels": labels}


def rows_of(part):
    """The same as rows of supervised positions: position t predicts the token at t + 1."""
    found = []
    for policy, reference, labels in zip(*part.values(), strict=True):
        at = [t for t in range(6) if labels[t + 1] != -100]
        found.append(Row(policy[at], reference[at], [int(labels[t + 1]) for t in at]))
    return found


def named_as_in_training(method, batches):
    """Batches as method_loss names them, by the names that training gives them."""
    parts = FORGET_LOSSES[METHODS[method].forget].trains_on
    names = ("preferred", "dispreferred") if len(parts) > 1 else ("forget",)
    named = dict(zip(parts, names, strict=True)) | {"retain": "retain"}
    return lambda part: rows_of(batches[named[part]])


@pytest.mark.parametrize("method", ON_LOGITS)
def test_loss_and_gradients_are_the_plain_formula_s(method):
    batches = {name: made_up(n) for n, name in enumerate(("forget", "retain", "preferred", "dispreferred"))}
    expected = plain(method, named_as_in_training(method, batches))
    leaves = [batch["policy_logits"] for batch in batches.values()]
    wanted = torch.autograd.grad(expected, leaves, allow_unused=True)
    value = method_loss(method, batches, kl_positions="answer")
    found = torch.autograd.grad(value, leaves, allow_unused=True)
    torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9)
    assert any(gradient is not None and gradient.abs().max() > 1e-4 for gradient in found)
    for ours, theirs in zip(found, wanted, strict=True):
        zeros = torch.zeros_like(leaves[0])
        torch.testing.assert_close(
            zeros if ours is None else ours, zeros if theirs is None else theirs, rtol=1e-8, atol=1e-9
        )


def test_rmu_and_its_gradients_are_the_plain_formula_s():
    generator = torch.Generator().manual_seed(0)
    unit, rows = direction(4, seed=3), torch.tensor([0, 0, 1, 1, 1])
    states = {part: torch.randn(5, 4, generator=generator).requires_grad_() for part in ("original", "retain")}
    reference = torch.randn(5, 4, generator=generator)

    def hidden(part):
        of = states[part.removesuffix(", layer")]
        return [Hidden(of[rows == row], reference[rows == row], unit) for row in (0, 1)]

    seen = {part: LayerStates(states[part], rows, 2, unit, reference) for part in states}
    steer, keep = FORGET_LOSSES["rmu"].values, RETAIN_LOSSES["layer"].values
    value = steer(seen["original"], RMU()).mean() + METHODS["rmu"].retain["layer"] * keep(seen["retain"], RMU()).mean()
    expected = plain("rmu", hidden)
    torch.testing.assert_close(value, expected)
    ours, theirs = (torch.autograd.grad(loss, states.values()) for loss in (value, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert unit.norm() == pytest.approx(1) and (unit >= 0).all()
    assert torch.equal(unit, direction(4, seed=3)) and not torch.equal(unit, direction(4, seed=4))


def test_rmu_on_logits_is_refused():
    with pytest.raises(ValueError, match="rmu is a loss of hidden states"):
        method_loss("rmu", {})


@pytest.mark.parametrize(
    ("loss", "parameters", "expected"),
    [
        ("simnpo", SimNPO(beta=1.0, delta=0.5), -2 * torch.sigmoid(-torch.tensor(0.8).log() - 0.5).log()),
        ("wga", WGA(beta=0.0), torch.tensor(0.8).log()),
        ("wga", WGA(beta=2.0), 0.64 * torch.tensor(0.8).log()),
        ("satimp", SatImp(beta1=1.0, beta2=2.0), 0.8 * 0.04 * torch.tensor(0.8).log()),
        ("ceu", CEU(skip=0), -(0.75 * torch.tensor(0.15).log() + 0.25 * torch.tensor(0.05).log())),
        ("ceu", CEU(skip=1), None),
        # ln 16 less makes weights 0.05, 0.15, 0.05 of the reference's 0.8, 0.15, 0.05
        ("undial", Undial(strength=float(torch.tensor(16.0).log())),
         -(0.2 * torch.tensor(0.8).log() + 0.6 * torch.tensor(0.15).log() + 0.2 * torch.tensor(0.05).log())),
        ("jensun", None, 0.5 * (0.8 * torch.tensor(1.6 / 1.8).log() + 0.2 * torch.tensor(2.0).log()
                                + torch.tensor(2 / 1.8).log())),
        ("task_vector", TaskVector(), -torch.tensor(0.8).log()),
    ],
)  # fmt: skip
def test_by_hand_for_one_token_of_probability_0_8(loss, parameters, expected):
    """Hyper-parameters that the recipe sets are used, not the published ones."""
    logits = torch.tensor([[[0.8, 0.15, 0.05], [1, 1, 1]]]).log()
    seen = shift(logits, logits, torch.tensor([[-100, 0]]))
    given = [seen] * len(FORGET_LOSSES[loss].trains_on) + ([] if parameters is None else [parameters])
    values = FORGET_LOSSES[loss].values(*given)
    if expected is None:
        assert len(values) == 0
    else:
        torch.testing.assert_close(values, expected[None])


@pytest.mark.parametrize(("wanted", "still_taught"), [(None, [0, 1]), (0.5, [1]), (0.9, [0, 1])])
def test_a_token_of_a_new_answer_is_taught_until_it_is_likely_enough(wanted, still_taught):
    """Of two tokens, of probability 0.8 and 0.15. The loss is told whole either way."""
    logits = torch.tensor([[[0.8, 0.15, 0.05], [0.8, 0.15, 0.05], [1, 1, 1]]]).log().requires_grad_()
    values = FORGET_LOSSES["ce"].values(shift(logits, logits.detach(), torch.tensor([[-100, 0, 1]])), wanted)
    torch.testing.assert_close(values, -torch.tensor([0.8, 0.15]).log())
    values.sum().backward()
    assert [n for n in range(2) if logits.grad[0, n].abs().sum() > 0] == still_taught


def test_a_token_that_is_forgotten_for_good_leaves_no_nan():
    """Probabilities of exactly 0 and 1 in float32: 0 ln 0 is 0, in the gradient too."""
    for method in ON_LOGITS:
        batches = {name: made_up(n) for n, name in enumerate(("forget", "retain", "preferred", "dispreferred"))}
        for batch in batches.values():
            batch["policy_logits"] = (batch["policy_logits"].detach().float() * 200).requires_grad_()
            batch["reference_logits"] = batch["reference_logits"].float()
        value = method_loss(method, batches, kl_positions="answer")
        value.backward()
        grads = [batch["policy_logits"].grad for batch in batches.values() if batch["policy_logits"].grad is not None]
        assert value.isfinite() and all(grad.isfinite().all() for grad in grads), method
