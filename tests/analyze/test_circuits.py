"""Patching against the two models themselves, and against patches made by hand in a single example."""

from __future__ import annotations

import pytest
import torch
from pair_of_models import shaken

from relearn_lite.analyze.activation_patching import Activations, patched_logprob, record
from relearn_lite.analyze.answers import answer_batches
from relearn_lite.analyze.architecture import find_architecture
from relearn_lite.analyze.attribution_patching import attributed
from relearn_lite.analyze.circuits import choose_method, circuits
from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import UNLEARNED, active_adapters
from relearn_lite.models.logprobs import answer_nll


@pytest.fixture(scope="module")
def found(pair):
    return circuits(pair.loaded, pair.answers, pair.models, method="patching", batch_size=2)


def plain_logprob(pair, model, answer):
    """Mean log-probability of the telling tokens: one example, all logits, no hooks of ours."""
    chances = pair.ask(model, answer.example.ids).logits[0].float().log_softmax(-1)
    told = [
        float(chances[answer.example.n_prompt + n - 1, token])
        for n, (token, tells) in enumerate(zip(answer.tokens, answer.telling, strict=True)) if tells
    ]
    return sum(told) / len(told)


@pytest.mark.parametrize("quantization", ["none", "4bit"])
@torch.no_grad()
def test_patching_everything_gives_vanilla_and_nothing_the_unlearned(quantization):
    pair = shaken(quantization, 0.08)
    model, architecture = pair.loaded.model, find_architecture(pair.loaded.model)
    for chosen, batch in answer_batches(pair.answers, 4, pair.loaded, telling_only=True):
        donor, _ = record(model, architecture, batch, pair.models["vanilla"])
        host = pair.models["unlearned"]
        everything = patched_logprob(model, architecture, batch, host, donor, architecture.components)
        nothing = patched_logprob(model, architecture, batch, host, donor, [])
        for row, answer in enumerate(chosen):
            vanilla, unlearned = (plain_logprob(pair, name, answer) for name in pair.models)
            assert abs(vanilla - unlearned) > 0.01, "the two models are too alike for this test to see anything"
            assert everything[row] == pytest.approx(vanilla, abs=1e-4)
            assert nothing[row] == pytest.approx(unlearned, abs=1e-4)


def by_hand(pair, answer, layer, head):
    """Log-probability with one part patched: o_proj or the MLP replaced whole, in one example.

    The head's slice is taken through the weights W + B A x scale, written out.
    """
    block = pair.loaded.model.get_base_model().model.layers[layer]
    module = block.mlp if head is None else block.self_attn.o_proj
    seen = {}

    def keep(_, args, output):
        seen["input"], seen["output"] = args[0], output

    hook = module.register_forward_hook(keep)
    pair.ask("vanilla", answer.example.ids)
    hook.remove()
    vanilla = dict(seen)

    def patch(_, args, output):
        if head is None:
            return vanilla["output"]
        width = args[0].shape[-1] // 6
        rows = slice(head * width, (head + 1) * width)
        base = module.base_layer.weight
        name = UNLEARNED
        adapted = base + module.scaling[name] * module.lora_B[name].weight @ module.lora_A[name].weight
        return output + vanilla["input"][..., rows] @ base[:, rows].T - args[0][..., rows] @ adapted[:, rows].T

    hook = module.register_forward_hook(patch)
    value = plain_logprob(pair, "unlearned", answer)
    hook.remove()
    return value


@pytest.mark.parametrize("part", [(0, None), (0, 2), (2, 5), (3, None), (3, 0)])
def test_a_part_restores_what_the_patch_by_hand_does(pair, found, part):
    rows = [answer for answer in pair.answers if answer.side == "forget"]
    with torch.no_grad():
        gains = [by_hand(pair, answer, *part) - plain_logprob(pair, "unlearned", answer) for answer in rows]
    noted = {(each["layer"], each["head"]): each for each in found["sides"]["forget"]["parts"]}
    assert noted[part]["restores"] == pytest.approx(sum(gains) / len(gains), abs=1e-4)


def test_sides_have_both_models_and_the_sum_check(pair, found):
    assert (found["layers"], found["heads"]) == (4, 6)
    for side in ("forget", "retain"):
        rows = [answer for answer in pair.answers if answer.side == side]
        values = found["sides"][side]
        for model in pair.models:
            expected = sum(plain_logprob(pair, model, answer) for answer in rows) / len(rows)
            assert values["logprob"][model] == pytest.approx(expected, abs=1e-4)
        assert values["everything"] == pytest.approx(values["logprob"]["vanilla"], abs=1e-4)
        assert len(values["parts"]) == 4 * 7
        assert all(part["moved"] > 0 for part in values["parts"])


@torch.no_grad()
def test_holds_is_the_loss_without_the_part(pair, found):
    """The MLP of layer 2, replaced by its mean over all tokens of all questions, by hand."""
    mlp = pair.loaded.model.get_base_model().model.layers[1].mlp
    written = []
    hook = mlp.register_forward_hook(lambda _, args, output: written.append(output[0]))
    for answer in pair.answers:
        pair.ask("vanilla", answer.example.ids)
    hook.remove()
    mean = torch.cat(written).mean(0)
    rows = [answer for answer in pair.answers if answer.side == "retain"]
    hook = mlp.register_forward_hook(lambda _, args, output: mean.expand_as(output))
    without = [plain_logprob(pair, "vanilla", answer) for answer in rows]
    hook.remove()
    lost = sum(plain_logprob(pair, "vanilla", answer) - value for answer, value in zip(rows, without, strict=True))
    noted = {(each["layer"], each["head"]): each for each in found["sides"]["retain"]["parts"]}
    assert noted[1, None]["holds"] == pytest.approx(lost / len(rows), abs=1e-4)


def test_models_that_are_the_same_have_moved_nothing(pair):
    same = {"vanilla": pair.models["unlearned"], "unlearned": pair.models["unlearned"]}
    result = circuits(pair.loaded, pair.answers[:2], same, method="patching", batch_size=2)
    assert result["sides"]["retain"] is None, "no retain question"
    for part in result["sides"]["forget"]["parts"]:
        assert part["moved"] == 0
        assert part["restores"] == pytest.approx(0, abs=1e-5)


def test_attribution_is_the_derivative_of_patching():
    """For a small change the first order is all there is: effects agree part by part."""
    pair = shaken("none", 0.01)
    model, architecture = pair.loaded.model, find_architecture(pair.loaded.model)
    _, batch = next(answer_batches(pair.answers, 3, pair.loaded))
    with torch.no_grad():
        before, _ = record(model, architecture, batch, pair.models["vanilla"])
        after, logprob = record(model, architecture, batch, pair.models["unlearned"])
        found = attributed(model, architecture, batch, after, before)
        exact = [
            (patched_logprob(model, architecture, batch, after.adapters, before, [part]) - logprob).sum().item()
            for part in architecture.components
        ]
    rough = found.flatten()
    exact = torch.tensor(exact, dtype=torch.float64)
    assert torch.corrcoef(torch.stack([rough, exact]))[0, 1] > 0.99
    assert rough.norm() == pytest.approx(float(exact.norm()), rel=0.1)
    assert not [p for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("method", ["patching", "attribution"])
def test_the_plan_says_how_many_runs(pair, method):
    done = []
    chosen, runs = choose_method(pair.loaded, pair.answers, 2, method)
    circuits(pair.loaded, pair.answers, pair.models, method=chosen, batch_size=2, advance=done.append)
    assert sum(done) == runs


def test_auto_attributes_where_patching_would_take_long(pair):
    assert choose_method(pair.loaded, pair.answers, 8, "auto")[0] == "patching"
    assert choose_method(pair.loaded, pair.answers * 20, 1, "auto")[0] == "attribution"


def test_a_model_without_such_parts_is_told(pair):
    class Odd(torch.nn.Module):
        config = pair.loaded.model.config

    with pytest.raises(RecipeError, match="layers of a Odd could not be found.*leave out memory and circuits"):
        find_architecture(Odd())


@pytest.mark.parametrize("kind", ["qwen2", "gemma2", "gpt2", "gpt_neox", "phi3", "falcon"])
@torch.no_grad()
def test_other_architectures_are_patched_as_exactly(kind):
    """Two random models of a kind that share all but attention and MLP: everything patched is the other's output, and
    what was recorded is as it was afterwards (Falcon adds to what its MLP wrote, in place)."""
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0}  # fmt: skip
    if kind == "gpt2":
        sizes = {"vocab_size": 97, "n_embd": 32, "n_layer": 2, "n_head": 4, "pad_token_id": 0}
    if kind == "falcon":
        del sizes["head_dim"]
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes)).eval()
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear"), adapter_name="other").eval()
    for key, parameter in model.named_parameters():
        if ".lora_B." in key:
            parameter.normal_(std=0.3)
    architecture = find_architecture(model)
    assert (len(architecture.layers), architecture.heads) == (2, 4)
    ids = torch.arange(1, 21).view(2, 10)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}
    donor, vanilla = record(model, architecture, batch, ())
    with active_adapters(model, ("other",)):
        assert (-answer_nll(model, batch) - vanilla).abs().max() > 1e-3
    everything = patched_logprob(model, architecture, batch, ("other",), donor, architecture.components)
    torch.testing.assert_close(everything, vanilla, atol=1e-4, rtol=0)
    torch.testing.assert_close(donor.mlps, record(model, architecture, batch, ())[0].mlps)
    means = Activations(*([each.mean((0, 1), True) for each in of] for of in (donor.heads, donor.mlps)), ())
    assert patched_logprob(model, architecture, batch, (), means, [(0, None)]).isfinite().all()
