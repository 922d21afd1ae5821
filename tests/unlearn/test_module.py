"""The training step against the textbook (whole logits, a second model as reference), checkpoints, and resume."""

import copy
import weakref
from types import SimpleNamespace

import pytest
import torch
from plain import Hidden, Row, kl, mean, plain, probabilities
from trainings import PAD, adapter, example, load, module_of, shake, unlearn, whole_step

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.data.batches import MicroBatches
from relearn_lite.data.examples import Example, collate
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, Loaded, active_adapters
from relearn_lite.recipe import Lora
from relearn_lite.recipe.methods import Method
from relearn_lite.unlearn.diagnostics import losses
from relearn_lite.unlearn.losses import METHODS
from relearn_lite.unlearn.losses.rmu import direction
from relearn_lite.unlearn.module import UnlearnModule
from relearn_lite.unlearn.reference import Reference, worth_keeping
from relearn_lite.unlearn.train import newest_checkpoint

BATCH = {
    "augmented": collate([Example(tuple(range(10, 22)), 4), Example(tuple(range(40, 47)), 3)], PAD),
    "original": collate([Example(tuple(range(60, 70)), 4), Example(tuple(range(80, 92)), 5)], PAD),
    "refusal": collate([Example(tuple(range(60, 67)), 4), Example(tuple(range(80, 91)), 5)], PAD),
    "retain": collate([Example(tuple(range(100, 108)), 3), Example(tuple(range(120, 132)), 6)], PAD),
}


def textbook(method, model, reference):
    """The method's loss as its papers write it, on whole logits and with a second model."""

    def seen(batch, at, of):
        out = of(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True)
        return out.logits.double() if at == "logits" else out.hidden_states[1].double()  # layer 0 of two

    def part(name):
        batch, at = BATCH[name.removesuffix(", layer")], "layer" if ", layer" in name else "logits"
        ours = seen(batch, at, model)
        with torch.no_grad():
            theirs = seen(batch, at, reference)
        rows = []
        for row, labels in enumerate(batch["labels"]):
            where = [t for t in range(len(labels) - 1) if labels[t + 1] != -100]
            both = ours[row, where], theirs[row, where]
            tokens = [int(labels[t + 1]) for t in where]
            rows.append(Row(*both, tokens) if at == "logits" else Hidden(*both, direction(64, seed=3).double()))
        return rows

    return plain(method, part)


@pytest.mark.parametrize("vanilla", [False, True], ids=["base knows", "adapter knows"])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_loss_and_gradients_are_the_textbook_s(tiny_model_dir, method, vanilla):
    loaded = load(tiny_model_dir, vanilla)
    reference = copy.deepcopy(loaded.model).eval()
    shake(loaded)
    loaded.model.train()  # as in training: a dropout of vanilla, which is frozen, must not reach the reference
    with active_adapters(loaded.model, loaded.unlearned_adapters), active_adapters(reference, loaded.vanilla_adapters):
        trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
        expected = textbook(method, loaded.model, reference)
        gradients = torch.autograd.grad(expected, trained.values(), allow_unused=True, materialize_grads=True)
        loss = module_of(loaded, method).training_step(whole_step(BATCH), 0)
        loss.backward()
    torch.testing.assert_close(loss, expected.float(), rtol=1e-5, atol=1e-5)
    largest = max(float(gradient.abs().max()) for gradient in gradients)
    for (name, parameter), gradient in zip(trained.items(), gradients, strict=True):
        found = torch.zeros_like(gradient) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found, gradient, rtol=1e-4, atol=2e-5 * largest, msg=lambda m, n=name: f"{n}: {m}")
    assert all(p.grad is None for name, p in loaded.model.named_parameters() if f".{UNLEARNED}." not in name)
    # A random model's answers are so unlikely that these two have almost nothing left to do.
    assert largest > (1e-16 if method in ("satimp", "simnpo") else 1e-6), "nothing to compare"


def test_the_methods_differ(tiny_model_dir):
    """Guards the test above: with a reference that equals the model, KL would be 0 and its name without effect."""
    loaded = load(tiny_model_dir)
    shake(loaded)
    # A mask of gradients has no effect on the loss, and p^5 of a random model's answers is next to nothing.
    alone = [method for method in METHODS if not method.endswith("_sure") and not method.startswith("satimp")]
    losses = {method: module_of(loaded, method).training_step(whole_step(BATCH), 0).item() for method in alone}
    assert len({round(loss, 4) for loss in losses.values()}) == len(alone)


@pytest.mark.parametrize("method", ["relearn", "relearn_klr_gdr"])
def test_generic_rows_are_held_by_kl_alone(tiny_model_dir, method):
    """Rows of their own, and not as retain rows, whose losses a method may have or not."""
    loaded = load(tiny_model_dir)
    shake(loaded)
    reference = copy.deepcopy(loaded.model).eval()
    batch = {**BATCH, "generic": collate([example(30, 9), example(130, 12)], PAD)}
    with active_adapters(reference, ()), torch.no_grad():
        theirs = [reference(input_ids=row[None]).logits[0] for row in (torch.arange(30, 39), torch.arange(130, 142))]
    ours = [loaded.model(input_ids=row[None]).logits[0] for row in (torch.arange(30, 39), torch.arange(130, 142))]
    positions = [kl(probabilities(r[t].double()), probabilities(z[t].double()))
                 for z, r in zip(ours, theirs, strict=True) for t in range(3, len(z) - 1)]  # fmt: skip
    without = module_of(loaded, method).training_step(whole_step(batch), 0)
    module = module_of(loaded, method, generic=2.0)
    added = module.training_step(whole_step(batch), 0) - without
    torch.testing.assert_close(added.double(), 2 * mean(positions), rtol=1e-4, atol=1e-6)
    assert module.step_losses["generic_kl"] > 0.01, "nothing to compare"


class Killed(RuntimeError):
    pass


ROWS = [{"augmented": example(start, 9 + start % 5)} for start in range(10, 90, 10)]
RETAIN = [example(start, 8 + start % 3, 3) for start in range(105, 165, 10)]


@pytest.fixture
def given(monkeypatch):
    """Counts the micro-batches that are handed out; `last` is the one before which a power cut comes."""
    seen, handed_out = SimpleNamespace(count=0, last=None), MicroBatches.__iter__

    def iterate(batches):
        for batch in handed_out(batches):
            if seen.count == seen.last:
                raise Killed
            seen.count += 1
            yield batch

    monkeypatch.setattr(MicroBatches, "__iter__", iterate)
    return seen


def train(model_dir, run, *, lr=1e-2, epochs=3, every=1, reference="recompute"):
    """Twelve micro-batches and six steps, unless told otherwise."""
    loaded = load(model_dir, vanilla=True, dropout=0.1)
    steps = unlearn(loaded, ROWS, RETAIN, run, epochs=epochs, lr=lr, batch_size=2, accumulate=2, checkpoint_every=every,
                    reference=reference)  # fmt: skip
    return loaded, steps


def test_a_checkpoint_holds_adapter_optimizer_and_random_state_only(tiny_model_dir, tmp_path):
    loaded, steps = train(tiny_model_dir, tmp_path, epochs=1)
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
def test_a_killed_run_ends_as_one_that_was_not(tiny_model_dir, tmp_path, given, last, every):
    """Bit by bit, with dropout, in the middle of an epoch and of an accumulated step."""
    whole, steps = train(tiny_model_dir, tmp_path / "whole")
    assert steps == 6
    given.count, given.last = 0, last
    with pytest.raises(Killed):
        train(tiny_model_dir, tmp_path / "killed", every=every)
    torch.rand(last)  # another process has drawn other numbers
    given.count, given.last = 0, None
    resumed, steps = train(tiny_model_dir, tmp_path / "killed", every=every)
    assert steps == 6
    assert given.count < 12 or last // 2 < every, "it started from nothing"
    assert all(torch.equal(value, adapter(resumed)[name]) for name, value in adapter(whole).items())


@pytest.mark.parametrize("last", [3, 6, 10], ids=lambda last: f"killed after {last} batches")
def test_a_killed_run_goes_on_with_the_reference_that_it_had_kept(tiny_model_dir, tmp_path, monkeypatch, given, last):
    """Computed anew, with other rows, it would differ in its last bits (here in more), and so would the end."""
    states = Reference.states

    def hang_on_what_came_before(cache, part, batch, rows, fresh):
        return states(cache, part, batch, rows, lambda: fresh() * (1 + 0.01 * len(cache.kept)))

    monkeypatch.setattr(Reference, "states", hang_on_what_came_before)
    whole, _ = train(tiny_model_dir, tmp_path / "whole", reference="cached")
    given.count, given.last = 0, last
    with pytest.raises(Killed):
        train(tiny_model_dir, tmp_path / "killed", every=2, reference="cached")
    given.last = None
    resumed, _ = train(tiny_model_dir, tmp_path / "killed", every=2, reference="cached")
    assert all(torch.equal(value, adapter(resumed)[name]) for name, value in adapter(whole).items())


def test_a_finished_run_trains_no_more(tiny_model_dir, tmp_path, given):
    first, _ = train(tiny_model_dir, tmp_path)
    given.count = 0
    again, steps = train(tiny_model_dir, tmp_path)
    assert steps == 6 and given.count == 0
    assert all(torch.equal(value, adapter(again)[name]) for name, value in adapter(first).items())


def test_diverged_training_is_an_error(tiny_model_dir, tmp_path):
    with pytest.raises(RecipeError, match="unlearn.lr: training diverged"):
        train(tiny_model_dir, tmp_path, lr=1e30)


@pytest.fixture
def memory(monkeypatch):
    """A model's forward pass, or the gradient at its end, that runs out of memory for more than `rows` rows at once."""
    seen, forward_part = SimpleNamespace(rows=99, where="forward", refused=0, sizes=[]), UnlearnModule.forward_part

    def refuse(_):
        seen.refused += 1
        raise torch.OutOfMemoryError("CUDA out of memory. Simulated")

    def forward(module, parts, part, reads):
        rows = len(parts[part]["labels"])
        seen.sizes.append(rows)
        if rows > seen.rows and seen.where == "forward":
            refuse(None)
        answers = forward_part(module, parts, part, reads)
        if rows > seen.rows:
            answers.states.register_hook(refuse)
        return answers

    monkeypatch.setattr(UnlearnModule, "forward_part", forward)
    return seen


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("method", ["relearn_klr_gdr", "npo_gdr", "ga_gdr_sure", "ga_gdr_memflex"])
def test_out_of_memory_repeats_the_step_in_smaller_pieces(tiny_model_dir, tmp_path, memory, capfd, method, where):
    """Micro-batches of two rows, two a step, with memory for one row: no gradient is lost, and none counts twice."""
    rows = [{"augmented": row["augmented"], "original": row["augmented"]} for row in ROWS]
    part = "augmented" if method.startswith("relearn") else "original"

    def run(folder):
        loaded = load(tiny_model_dir)
        shake(loaded)
        forget = [{part: row[part]} for row in rows]
        unlearn(loaded, forget, RETAIN, tmp_path / folder, method=method, epochs=2, lr=1e-3, batch_size=2, accumulate=2)
        return adapter(loaded)

    tell_once.cache_clear()
    roomy = run("roomy")
    memory.rows, memory.where = 1, where
    memory.sizes.clear()
    tight = run("tight")
    assert memory.refused == 1 and memory.sizes.count(2) == memory.sizes.index(1)
    for name, value in roomy.items():
        torch.testing.assert_close(tight[name], value, rtol=1e-3, atol=2e-5, msg=lambda m, n=name: f"{n}: {m}")
    assert capfd.readouterr().err.count("Out of memory") == 1
    curves = [losses(tmp_path / folder) for folder in ("roomy", "tight")]
    for one, other in zip(*curves, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-4, abs=1e-5)


def test_what_was_accumulated_before_memory_ran_out_is_not_lost(tiny_model_dir, tmp_path, monkeypatch):
    """The third of four accumulated batches fails: the first ones' gradients are computed again, not dropped."""
    seen, forward_part = [], UnlearnModule.forward_part

    def train_with(failing_call, folder):
        def forward(module, parts, part, reads):
            seen.append(len(parts[part]["labels"]))
            if len(seen) == failing_call:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")
            return forward_part(module, parts, part, reads)

        monkeypatch.setattr(UnlearnModule, "forward_part", forward)
        loaded = load(tiny_model_dir)
        rows = [{"original": row["augmented"]} for row in ROWS]
        unlearn(loaded, rows, [], tmp_path / folder, method="ga", epochs=1, lr=1e-3, batch_size=2, accumulate=4)
        return adapter(loaded)

    expected = train_with(0, "whole")
    seen.clear()
    found = train_with(3, "failing")
    assert seen == [2, 2, 2, *[1] * 6, *[1] * 2]
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=2e-5)


def test_what_a_failed_backward_pass_held_is_free_before_the_next_try(tiny_model_dir, tmp_path, monkeypatch):
    """The loss held on to all of it, so that the step was divided further than it had to be, or did not fit at all."""
    held, alive, forward_part = [], [], UnlearnModule.forward_part

    def refuse(_):
        raise torch.OutOfMemoryError("CUDA out of memory. Simulated")

    def forward(module, parts, part, reads):
        if held:
            alive.append(any(tensor() is not None for tensor in held))
            return forward_part(module, parts, part, reads)
        matrices = [each for name, each in module.model.named_modules() if name.endswith(f"lora_A.{UNLEARNED}")]
        hooks = [each.register_forward_hook(lambda *args: held.append(weakref.ref(args[-1]))) for each in matrices]
        answers = forward_part(module, parts, part, reads)
        answers.states.register_hook(refuse)
        for hook in hooks:
            hook.remove()
        return answers

    monkeypatch.setattr(UnlearnModule, "forward_part", forward)
    train(tiny_model_dir, tmp_path, epochs=1)
    assert alive[:3] == [True, False, False], "held while the retain rows are computed, and not by the pieces"


def test_a_single_row_that_does_not_fit_is_a_recipe_error(tiny_model_dir, tmp_path, memory):
    memory.rows = 0
    with pytest.raises(RecipeError, match=r"unlearn\.batch_size: memory ran out even for one row .*checkpointing"):
        train(tiny_model_dir, tmp_path)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tiny_model_dir, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(UnlearnModule, "forward_part", broken)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        train(tiny_model_dir, tmp_path)


def test_a_cached_reference_trains_the_same_with_fewer_passes(tiny_model_dir, tmp_path, monkeypatch):
    passes, states = [], Reference.states

    def counted(reference, part, batch, rows, fresh):
        return states(reference, part, batch, rows, lambda: passes.append(part) or fresh())

    monkeypatch.setattr(Reference, "states", counted)
    found = {}
    for reference in ("recompute", "cached"):
        passes.clear()
        loaded = load(tiny_model_dir, vanilla=True)
        unlearn(loaded, ROWS, RETAIN, tmp_path / reference, epochs=6, lr=1e-2, batch_size=2, accumulate=2,
                reference=reference)  # fmt: skip
        found[reference] = adapter(loaded), len(passes)
    assert found["recompute"][1] == 24
    assert 3 <= found["cached"][1] < 12, "24 batches of 6 retain rows, most of them known"
    for name, value in found["recompute"][0].items():
        torch.testing.assert_close(found["cached"][0][name], value, rtol=1e-3, atol=2e-5)


def test_vanilla_is_asked_only_for_what_a_term_compares_with(tiny_model_dir, monkeypatch):
    """Cross-entropy beside rmu's layer: its logits were computed of the vanilla model, too, for nothing."""
    passes, states = [], Reference.states
    monkeypatch.setitem(METHODS, "both", Method("rmu", {"ce": 1.0, "layer": 1.0}))
    monkeypatch.setattr(Reference, "states", lambda kept, part, *more: passes.append(part) or states(kept, part, *more))
    module_of(load(tiny_model_dir, vanilla=True), "both").training_step(whole_step(BATCH), 0)
    assert passes == ["retain layer"]


def test_the_reference_is_kept_where_rows_come_again_and_take_little_room():
    rows = [Example((1, 2, 3, 4), 2)] * 1000  # 2000 supervised tokens
    assert worth_keeping(rows, hidden_size=4096, epochs=2)
    assert not worth_keeping(rows, hidden_size=4096, epochs=1)
    assert not worth_keeping(rows * 50, hidden_size=4096, epochs=2), "1.6 GB"
    assert not worth_keeping([], hidden_size=4096, epochs=2)


def test_the_cache_keeps_rows_apart(tiny_model_dir, monkeypatch):
    """Loss by a cache filled in one order of rows, asked for in another, is the loss of a fresh pass."""
    loaded = load(tiny_model_dir)
    shake(loaded)
    rows = [Example(tuple(range(s, s + 6 + s % 4)), 3) for s in (10, 31, 52, 73)]

    def batch(*numbers):
        part = {**collate([rows[n] for n in numbers], PAD), "index": torch.tensor(numbers)}
        return whole_step({"original": part, "retain": part})

    with active_adapters(loaded.model, loaded.unlearned_adapters):
        fresh, kept = module_of(loaded, "npo_klr"), module_of(loaded, "npo_klr", keep_reference=True)
        expected = [fresh.training_step(batch(*n), 0) for n in ((3, 0), (1, 2))]
        for numbers in ((0, 1), (2, 3)):
            kept.training_step(batch(*numbers), 0)

        def computed_again(*_):
            raise AssertionError("a known row was computed again")

        monkeypatch.setattr(UnlearnModule, "_vanilla_states", computed_again)
        found = [kept.training_step(batch(*n), 0) for n in ((3, 0), (1, 2))]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def noisy(dropout=0.0):
    """A GPT-2, which has dropout of its own (0.1, in embeddings, attention and residuals), with an adapter to train."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=200, n_embd=32, n_layer=2, n_head=2, n_positions=64))
    loaded = Loaded(model.requires_grad_(False).eval(), SimpleNamespace(pad_token_id=PAD), "transformers")
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, dropout=dropout), 7)
    return loaded


@pytest.mark.parametrize("method", ["npo", "relearn_klr", "rmu", "jensun", "undial"])
def test_the_reference_has_no_dropout_of_the_base_model(monkeypatch, method):
    """It had, in GPT-2 and the like: it was no vanilla model, but a random one near it, another at each step."""
    loaded = noisy()
    module = module_of(loaded, method)
    seen, compute = [], module._vanilla_states
    monkeypatch.setattr(module, "_vanilla_states", lambda *inputs: seen.append(compute(*inputs)) or seen[-1])
    loaded.model.eval()
    module.training_step(whole_step(BATCH), 0)
    expected = seen.copy()
    seen.clear()
    loaded.model.train()
    modes = [layer.training for layer in loaded.model.modules()]
    module.training_step(whole_step(BATCH), 0)
    assert expected and all(torch.equal(a, b) for a, b in zip(seen, expected, strict=True))
    assert [layer.training for layer in loaded.model.modules()] == modes, "the model in training kept no dropout"


def test_a_cached_reference_leaves_dropout_as_it_is(tmp_path):
    """A reference that draws random numbers changes what a model in training drops, and a cached one does not draw."""
    found = {}
    for reference in ("recompute", "cached"):
        loaded = noisy(dropout=0.1)
        unlearn(loaded, ROWS, RETAIN, tmp_path / reference, epochs=3, lr=1e-2, batch_size=2, accumulate=2,
                reference=reference)  # fmt: skip
        found[reference] = adapter(loaded)
    for name, value in found["recompute"].items():
        torch.testing.assert_close(found["cached"][name], value, rtol=1e-3, atol=2e-5)


def test_a_model_with_an_unknown_head_is_not_trained(tiny_model_dir):
    loaded = load(tiny_model_dir)
    loaded.model.get_base_model().config.logits_scaling = 2.0  # which Llama does not look at
    with pytest.raises(RecipeError, match=rf"model.name: {tiny_model_dir} \(llama\) makes its logits in a way"):
        module_of(loaded, "relearn")
