"""Logits at supervised positions, against the plain formula on whole logits of real (random) models."""

import pytest
import torch

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import Example, collate
from relearn_lite.models.logprobs import answer_nll, check_head, supervised

VOCABULARY, PAD = 97, 0
SIZES = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
ROWS = [Example(tuple(range(10, 22)), 4), Example(tuple(range(40, 47)), 3), Example((5, 6, 7), 2)]
MODELS = ["llama", "qwen2", "gemma2", "cohere", "granite", "falcon_h1", "hyperclovax"]
MAMBA = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 8}


def model_of(kind):
    """A random model in float32; its head is scaled up so that soft-capping and scaling show."""
    import transformers

    special = {
        "llama": (transformers.LlamaConfig, {}),
        "qwen2": (transformers.Qwen2Config, {}),
        "gemma2": (transformers.Gemma2Config, {"head_dim": 8, "final_logit_softcapping": 5.0}),
        "cohere": (transformers.CohereConfig, {"logit_scale": 0.25}),
        "granite": (transformers.GraniteConfig, {"logits_scaling": 4.0}),
        "falcon_h1": (transformers.FalconH1Config, {"head_dim": 8, "lm_head_multiplier": 0.1, **MAMBA}),
        "hyperclovax": (transformers.HyperCLOVAXConfig, {"head_dim": 8, "logits_scaling": 0.25}),
    }
    config, extra = special[kind]
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config(**SIZES, **extra, pad_token_id=PAD)).eval()
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)
    return model


def whole_logits(model, batch):
    """What the textbook does: all logits, position t predicting token t + 1."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.float()
    return logits[:, :-1], batch["labels"][:, 1:]


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_supervised_is_the_plain_formula(kind):
    model, batch = model_of(kind), collate(ROWS, PAD)
    scored = supervised(model, batch)
    logits, labels = whole_logits(model, batch)
    expected = [(row, logits[row, t], labels[row, t]) for row in range(3) for t in range(labels.shape[1])
                if labels[row, t] != -100]
    assert scored.rows.tolist() == [row for row, _, _ in expected] == [0] * 8 + [1] * 4 + [2]
    assert scored.labels.tolist() == [int(token) for _, _, token in expected]
    assert scored.labels.tolist() == [*range(14, 22), *range(43, 47), 7], "not the answers' tokens alone"
    assert scored.n_rows == 3 and scored.states.dtype == torch.float32
    torch.testing.assert_close(scored.states, torch.stack([row for _, row, _ in expected]), rtol=1e-5, atol=1e-5)
    assert scored.states.std() > 0.1, "logits so flat that a wrong scale would not show"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", MODELS)
def test_the_head_of_these_is_known(kind, dtype):
    check_head(model_of(kind).to(dtype))


def test_a_head_that_does_what_is_not_known_here_is_an_error(monkeypatch):
    """Falcon-H1 multiplies its logits, which nobody had told `head_logits`: it was trained by wrong losses."""
    model = model_of("llama")
    plain = model.forward

    def scaled(**inputs):
        out = plain(**inputs)
        out.logits = out.logits * 0.8
        return out

    monkeypatch.setattr(model, "forward", scaled)
    with pytest.raises(RecipeError, match=r"^model\.name: .*\(llama\) makes its logits in a way that is not known"):
        check_head(model)


@torch.no_grad()
def test_gemma2_is_capped():
    assert supervised(model_of("gemma2"), collate(ROWS, PAD)).states.abs().max() < 5.0


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_right_padding_changes_nothing(kind):
    model = model_of(kind)
    together = supervised(model, collate(ROWS, PAD))
    for number, row in enumerate(ROWS):
        alone = supervised(model, collate([row], PAD))
        torch.testing.assert_close(together.states[together.rows == number], alone.states, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_answer_nll_of_a_batch_is_that_of_single_rows():
    model, batch = model_of("llama"), collate(ROWS, PAD)
    logits, labels = whole_logits(model, batch)
    textbook = torch.stack([
        torch.nn.functional.cross_entropy(logits[row], labels[row], ignore_index=-100) for row in range(3)
    ])
    single = torch.cat([answer_nll(model, collate([row], PAD)) for row in ROWS])
    torch.testing.assert_close(answer_nll(model, batch), textbook, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(answer_nll(model, batch), single, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_row_without_an_answer_takes_part_in_nothing():
    model, silent = model_of("llama"), Example((30, 31, 32, 33), 4)
    scored = supervised(model, collate([ROWS[0], silent], PAD))
    assert scored.rows.tolist() == [0] * 8 and scored.n_rows == 2


def test_gradients_are_those_of_the_model_s_own_loss():
    model, batch = model_of("gemma2"), collate(ROWS, PAD)
    own = model(**batch).loss
    own.backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    scored = supervised(model, batch)
    loss = torch.nn.functional.cross_entropy(scored.states, scored.labels)
    loss.backward()
    torch.testing.assert_close(loss, own, rtol=1e-5, atol=1e-5)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-4, atol=1e-5)
