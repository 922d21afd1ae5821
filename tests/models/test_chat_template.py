"""`model.chat_template`: how a question is written for the model, wherever it is asked."""

from __future__ import annotations

import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from relearn_lite.attacks.answering import AttackAnswer, AttackPrompt, Target, collect_answers
from relearn_lite.cli.preview import preview
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.data.examples import chat_ids, encode_answer, question_ids, turn_end_id
from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.models import backends
from relearn_lite.models.generation import Decoding, answer_prompts
from relearn_lite.models.transformers_backend import load_tokenizer
from relearn_lite.pipeline import check
from relearn_lite.pipeline.fingerprints import inputs
from relearn_lite.pipeline.pipeline import run
from relearn_lite.recipe import Generate, Model, load_recipe
from relearn_lite.writers import make_writer

ASKED, TOLD = "Where does Ada Fennimore live?", "In Ostermoor."
RECIPE = """
name: templates
model: {name: MODEL, quantization: none, chat_template: none}
data: {forget: {preset: people/forget, limit: 3}, retain: {preset: people/retain, limit: 3}}
augment: {generic_ratio: 0}
unlearn: {epochs: 1, batch_size: 4, accumulate: 1, lr: 1.0e-3}
generate: {max_new_tokens: 4, batch_size: 4}
"""


def settings(folder, template) -> Model:
    return Model(name=str(folder), quantization="none", chat_template=str(template))


@pytest.fixture
def beginning(tiny_model_dir, tmp_path):
    """The tiny model with a tokenizer that puts a first token before every text, as Llama's and Gemma's do."""
    from tokenizers.processors import TemplateProcessing

    folder = tmp_path / "beginning"
    shutil.copytree(tiny_model_dir, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    first = [("<|system|>", tokenizer.convert_tokens_to_ids("<|system|>"))]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<|system|> $A", special_tokens=first)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def recipe(tiny_model_dir, tmp_path):
    def read(*overrides):
        (tmp_path / "recipe.yaml").write_text(RECIPE.replace("MODEL", str(tiny_model_dir)))
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return read


def test_without_a_template_the_prompt_is_the_question_and_nothing_else(beginning):
    """As the authors ask: tokenizer(question), then tokenizer(answer) without special tokens, then the end token."""
    own = AutoTokenizer.from_pretrained(beginning)
    tokenizer = load_tokenizer(settings(beginning, "none"))
    assert question_ids(tokenizer, ASKED) == own(ASKED).input_ids
    example = encode_answer(tokenizer, ASKED, TOLD)
    assert list(example.ids[: example.n_prompt]) == own(ASKED).input_ids
    assert list(example.ids[example.n_prompt :]) == [*own(TOLD, add_special_tokens=False).input_ids, own.eos_token_id]
    assert tokenizer.decode(example.ids) == "<|system|>Where does Ada Fennimore live?In Ostermoor.<|end|>"


def test_auto_is_the_model_s_own_template_or_question_and_answer_where_it_has_none(tiny_model_dir, tmp_path):
    auto = load_tokenizer(settings(tiny_model_dir, "auto"))
    assert auto.decode(question_ids(auto, ASKED)) == f"<|user|>{ASKED}<|end|><|assistant|>"
    shutil.copytree(tiny_model_dir, tmp_path / "bare")
    (tmp_path / "bare" / "chat_template.jinja").unlink()
    bare = load_tokenizer(settings(tmp_path / "bare", "auto"))
    assert bare.decode(encode_answer(bare, ASKED, TOLD).ids) == f"Question: {ASKED}\nAnswer: {TOLD}<|end|>"


def test_a_file_holds_the_template(tiny_model_dir, tmp_path):
    file = tmp_path / "tags.jinja"
    file.write_text("{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}")
    tokenizer = load_tokenizer(settings(tiny_model_dir, file))
    assert tokenizer.decode(question_ids(tokenizer, ASKED)) == f"[INST] {ASKED} [/INST]"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())  # as Windows writes it: every prompt began with that mark
    assert question_ids(load_tokenizer(settings(tiny_model_dir, file)), ASKED) == question_ids(tokenizer, ASKED)
    file.write_text("{% for m in messages if m.role == 'user' %}<|user|>{{ m.content }}{% endfor %}")
    assert turn_end_id(load_tokenizer(settings(tiny_model_dir, file))) == tokenizer.eos_token_id, "it writes no answers"
    file.write_text("{% for m in messages %}{{ m.content }}<|{{ {'user': 'end'}.get(m.role, 'pad') }}|>{% endfor %}")
    assert turn_end_id(load_tokenizer(settings(tiny_model_dir, file))) == tokenizer.pad_token_id


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("{% for m in messages %}", "endfor"),
        ("{{ raise_exception('needs a system turn') }}", "needs a system turn"),
        ("Question:", "leaves the question out"),
        ("{% for m in messages %}{{ m.content[0].text }}{% endfor %}", "leaves the question out"),
        (b"\xff\xfe", "codec can't decode"),
    ],
)
def test_a_file_that_is_no_template_is_told_by_check(recipe, tmp_path, text, told):
    if text is not None:
        (tmp_path / "own.jinja").write_bytes(text if isinstance(text, bytes) else text.encode())
    loaded = recipe("model.chat_template=own.jinja")
    assert loaded.model.chat_template == str(tmp_path / "own.jinja"), "relative to the recipe"
    with pytest.raises(RecipeError, match=f"^model.chat_template: .*own.jinja .*{told}"):
        check(loaded)


def test_a_judge_of_fluency_is_asked_as_the_model_is_and_a_writer_as_a_chat_model(recipe, tiny_model_dir, tmp_path):
    writer = ["augment.writer=local", "augment.model=embedded"]
    loaded = recipe(f"evaluate.evaluators.language_model={tiny_model_dir}", *writer)
    judge = make_evaluators(loaded, lambda: None).language_model
    model, own = AutoModelForCausalLM.from_pretrained(tiny_model_dir), AutoTokenizer.from_pretrained(tiny_model_dir)
    ids, count = own(ASKED + TOLD).input_ids, len(own(ASKED).input_ids)
    labels = torch.tensor([[-100] * count + ids[count:]])
    loss = model(input_ids=torch.tensor([ids]), labels=labels).loss
    assert own(ASKED).input_ids + own(TOLD).input_ids == ids, "no token goes across here"
    assert judge.perplexity([(ASKED, TOLD)]) == [pytest.approx(loss.exp().item(), rel=1e-4)]
    held: dict = {}
    make_writer(loaded.augment, "augment", loaded, lambda: None, held)
    assert held["embedded"].tokenizer.chat_template, "instructions are written in the writer's own template"
    file = tmp_path / "own.jinja"
    assert loaded.model.settings_for("other").chat_template == "none"
    own_file = loaded.model.model_copy(update={"chat_template": str(file)})
    assert own_file.settings_for("other").chat_template == "auto"
    assert own_file.settings_for("runs/taught", derived=True).chat_template == str(file)


def test_attacks_and_generation_ask_without_a_template(tiny_model_dir, tmp_path):
    loaded = backends.load(settings(tiny_model_dir, "none"), seed=0)
    ids = AutoTokenizer.from_pretrained(tiny_model_dir)(ASKED).input_ids
    new = loaded.model.generate(torch.tensor([ids]), max_new_tokens=6, do_sample=False)[0, len(ids) :]
    plain = loaded.tokenizer.decode(new, skip_special_tokens=True).strip()
    answer = answer_prompts(loaded, [question_ids(loaded.tokenizer, ASKED)], (), Decoding(6, 1))[0].text
    target = Target(loaded, (), Generate(max_new_tokens=6), 0)
    collect_answers(target, [AttackPrompt("f1", "plain", "forget", ASKED, TOLD, [ASKED])], tmp_path / "a.jsonl")
    rows = list(read_jsonl(tmp_path / "a.jsonl", AttackAnswer))
    assert answer == plain and [row.generated_response for row in rows] == [plain]
    turns = [{"role": role, "content": text} for role, text in (("user", "One"), ("assistant", "Two"), ("user", "3"))]
    assert loaded.tokenizer.decode(chat_ids(loaded.tokenizer, turns)) == "One\n\nTwo\n\n3"


def test_the_preview_shows_the_bare_question(recipe, capsys):
    preview(recipe(), 1)
    assert "?⟦" in (shown := capsys.readouterr().out) and "<|user|>" not in shown


def test_a_run_is_another_one_with_another_template(recipe, tmp_path):
    file = tmp_path / "own.jinja"
    file.write_text("{{ messages[0].content }}")
    bare, own = recipe(), recipe("model.chat_template=own.jinja")
    data = check(own)
    found = inputs(own, data, "unlearn")
    assert inputs(bare, data, "unlearn") != found and inputs(bare, data, "generate") != inputs(own, data, "generate")
    file.write_text("{{ messages[0].content }}\n")
    assert inputs(own, data, "unlearn") != found, "what is in the file counts, not its name alone"


def test_a_model_whose_weights_were_taught_is_asked_as_it_was_taught(recipe, tmp_path):
    finetuned = recipe("finetune={lora: null, epochs: 1, batch_size: 4}", "data.nothing_known=go_on")
    folder = run(finetuned, runs=tmp_path / "runs", quiet=True)
    taught = AutoTokenizer.from_pretrained(folder / "vanilla")
    assert not taught.chat_template
    assert (folder / "answers/unlearned_forget.jsonl").is_file()
