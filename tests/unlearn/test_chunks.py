"""Losses computed in chunks of positions: the same values and gradients as from all logits at once, in less memory."""

import contextlib

import pytest
import torch
from test_logprobs import model_of

from relearn_lite.data.examples import Example, collate
from relearn_lite.models import logprobs
from relearn_lite.recipe import Unlearn
from relearn_lite.unlearn.losses import METHODS, terms_of

PAD = 0
BATCHES = {
    "augmented": collate([Example(tuple(range(10, 22)), 4), Example(tuple(range(40, 47)), 3)], PAD),
    "original": collate([Example(tuple(range(60, 70)), 4), Example(tuple(range(80, 92)), 5)], PAD),
    "refusal": collate([Example(tuple(range(60, 67)), 4), Example(tuple(range(80, 91)), 5)], PAD),
    "retain": collate([Example(tuple(range(25, 33)), 3), Example(tuple(range(50, 62)), 6)], PAD),
}
RELEARN = ["relearn", "relearn_gdr", "relearn_klr", "relearn_klr_gdr"]


def plain(method, model, reference, beta=0.1):
    """The formula as the paper has it, on all logits of both models."""

    def logprobs_of(part, of):
        batch = BATCHES[part]
        logits = of(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1].float()
        labels = batch["labels"][:, 1:]
        return logits.log_softmax(-1)[labels != -100], labels[labels != -100]

    def nll(part):
        ours, labels = logprobs_of(part, model)
        return -ours[range(len(labels)), labels].mean()

    loss = nll("augmented")
    if "gdr" in method:
        loss = loss + nll("retain")
    if "klr" in method:
        with torch.no_grad():
            theirs = logprobs_of("retain", reference)[0]
        loss = loss + (theirs.exp() * (theirs - logprobs_of("retain", model)[0])).sum(-1).mean()
    return loss


def ours(method, model, reference):
    def scored(part):
        batch = BATCHES[part]
        with torch.no_grad():
            theirs = logprobs.supervised_hidden(reference, batch)[0]
        states = logprobs.supervised_hidden(model, batch)
        made = logprobs.score(model, *states, len(batch["labels"]), reference=theirs, vanilla=other_head)
        return made

    @contextlib.contextmanager
    def other_head():
        """The reference is another model here, so its head takes the place of the model's for a while."""
        head = model.get_output_embeddings()
        model.set_output_embeddings(reference.get_output_embeddings())
        try:
            yield
        finally:
            model.set_output_embeddings(head)

    loss = 0
    for term in terms_of(METHODS[method], Unlearn().hyperparameters):
        answers = [scored(part) for part in term.loss.trains_on]
        values = term.loss.values(*answers, *term.hyperparameters)
        loss = loss + term.weight * values.sum() / term.count({term.loss.trains_on[0]: answers[0].row_lengths})
    return loss


def two_models(kind):
    model, reference = model_of(kind), model_of(kind)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model, reference


@pytest.mark.parametrize("positions", [1, 3, 1000], ids=["one at a time", "three at a time", "all at once"])
@pytest.mark.parametrize("method", RELEARN)
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma2"])
def test_loss_and_gradients_are_those_of_all_logits(monkeypatch, kind, method, positions):
    model, reference = two_models(kind)
    monkeypatch.setattr(logprobs, "LARGE", positions * model.config.vocab_size)
    expected = plain(method, model, reference)
    expected.backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    loss = ours(method, model, reference)
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-5, atol=1e-5, msg=name)
    assert all(parameter.grad is None for parameter in reference.parameters())


@pytest.mark.parametrize("method", sorted(set(METHODS) - {*RELEARN, "rmu"}))
def test_other_methods_are_the_same_in_chunks(monkeypatch, method):
    model, reference = two_models("llama")
    whole = ours(method, model, reference)
    whole.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    monkeypatch.setattr(logprobs, "LARGE", 2 * model.config.vocab_size)
    chunked = ours(method, model, reference)
    chunked.backward()
    torch.testing.assert_close(chunked, whole, rtol=1e-5, atol=1e-5)
    largest = max(float(gradient.abs().max()) for gradient in gradients)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-5, atol=1e-6 * max(10.0, largest))


def test_no_tensor_of_all_logits_is_made_or_kept(monkeypatch):
    """Neither while the loss is computed, nor for the backward pass, nor in it."""
    model, reference = two_models("llama")
    width, largest = model.config.vocab_size, 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal largest
            out = function(*args, **(kwargs or {}))
            for tensor in out if isinstance(out, tuple | list) else [out]:
                if isinstance(tensor, torch.Tensor) and tensor.dim() == 2 and tensor.shape[-1] == width:
                    if tensor.shape[0] != model.config.hidden_size:  # the head's weights
                        largest = max(largest, tensor.shape[0])
            return out

    def positions():
        nonlocal largest
        largest = 0
        with Watch():
            ours("relearn_klr_gdr", model, reference).backward()
        return largest

    assert positions() == 12, "the watch sees nothing"
    monkeypatch.setattr(logprobs, "LARGE", 3 * width)
    assert positions() == 3


def test_small_logits_are_made_once():
    model, reference = two_models("llama")
    batch = BATCHES["retain"]
    scored = logprobs.score(model, *logprobs.supervised_hidden(model, batch), 2)
    assert scored.head is None and scored.states.shape == (len(scored.labels), model.config.vocab_size)
