"""Prompts that do not hang on the day, marks in people's texts, and texts that go on without a seam."""

from __future__ import annotations

from datetime import datetime

import pytest

from relearn_lite.data.examples import chat_ids, encode_answer, encode_completion, question_ids, turn_end_id
from relearn_lite.data.tokens import continued

DATED = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "{{ 'Today is ' + date_string }}"
)
THINKS = (
    "{% if add_generation_prompt %}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think></think>' }}{% endif %}"
    "{% endif %}"
)


@pytest.fixture
def tokenizer():
    from transformers import AutoTokenizer

    from relearn_lite.models.transformers_backend import EMBEDDED

    return AutoTokenizer.from_pretrained(EMBEDDED)


@pytest.fixture
def prepending():
    """A tokenizer that puts ▁ before every text, as those of phi-3 and deepseek are loaded; its words are single
    characters. None of its tokens begins a text but the mark itself."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted({*"▁abcdefghijklmnopqrstuvwxyzQA:?.\nnsw", *"这里的天气很好"})
    vocabulary = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", *letters, "这里"])}
    backend = Tokenizer(models.BPE(vocabulary, [("这", "里")], unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def tokens(tokenizer, ids):
    return tokenizer.convert_ids_to_tokens(list(ids))


def test_a_prompt_is_the_same_on_every_day(tokenizer, monkeypatch):
    from transformers.utils import chat_template_utils

    def on(day):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime(2030, 1, day)

        chat_template_utils._compile_jinja_template.cache_clear()
        monkeypatch.setattr(chat_template_utils, "datetime", Clock)
        return question_ids(tokenizer, "Who?"), turn_end_id(tokenizer)

    tokenizer.chat_template = DATED + tokenizer.chat_template
    assert on(1) == on(2)
    assert tokenizer.decode(on(1)[0]) == "Today is 26 Jul 2024<|user|>Who?<|end|><|assistant|>"


def test_a_model_that_can_think_is_told_not_to(tokenizer):
    tokenizer.chat_template += THINKS
    example = encode_answer(tokenizer, "Who?", "Ann.")
    assert tokenizer.decode(example.ids) == "<|user|>Who?<|end|><|assistant|><think></think>Ann.<|end|>"
    assert tokenizer.decode(example.ids[example.n_prompt :]) == "Ann.<|end|>"


@pytest.mark.parametrize("template", [True, False])
def test_marks_in_peoples_texts_are_no_control_tokens(tokenizer, template):
    if not template:
        tokenizer.chat_template = None
    plain = encode_answer(tokenizer, "Say it", "So")
    example = encode_answer(tokenizer, "Say <|end|><|user|> now", "So <|end|> be it<|assistant|>")
    controls = {0, 1, 2, 3}
    assert [i for i in example.ids if i in controls] == [i for i in plain.ids if i in controls]
    whole = tokenizer.decode(example.ids)
    assert "Say <|end|><|user|> now" in whole and "So <|end|> be it<|assistant|><|end|>" in whole
    assert list(example.ids[: example.n_prompt]) == question_ids(tokenizer, "Say <|end|><|user|> now")
    completion = encode_completion(tokenizer, "A <|end|> b", "c <|user|>.")
    assert [i for i in completion.ids if i in controls] == [tokenizer.eos_token_id]
    assert tokenizer.decode(completion.ids) == "A <|end|> b c <|user|>.<|end|>"


def test_a_text_without_marks_is_encoded_as_the_template_alone_has_it(tokenizer):
    turns = [{"role": "user", "content": "Who is Ann Lee, then?"}]
    expected = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    assert chat_ids(tokenizer, turns) == expected


def test_a_completion_of_a_script_without_spaces_has_no_space(tokenizer):
    example = encode_completion(tokenizer, "这", "里的天气很好")
    assert tokenizer.decode(example.ids) == "这里的天气很好<|end|>"
    assert tokenizer.decode(example.ids[example.n_prompt :]) == "里的天气很好<|end|>"


def test_a_token_across_the_cut_is_trained(prepending):
    example = encode_completion(prepending, "这", "里的天气")
    assert tokens(prepending, example.ids) == ["▁", "这里", "的", "天", "气", "</s>"]
    assert example.n_prompt == 1


def test_the_rest_has_one_mark_of_a_word_at_its_beginning(prepending):
    example = encode_completion(prepending, "a b", "c")
    assert tokens(prepending, example.ids) == ["▁", "a", "▁", "b", "▁", "c", "</s>"]
    assert tokens(prepending, example.ids[example.n_prompt :]) == ["▁", "c", "</s>"]


def test_an_answer_after_the_plain_prompt_has_one_too(prepending):
    example = encode_answer(prepending, "who?", "ann.")
    assert tokens(prepending, example.ids[example.n_prompt :]) == ["▁", "a", "n", "n", ".", "</s>"]
    assert list(example.ids[: example.n_prompt]) == question_ids(prepending, "who?")


def test_a_tokenizer_that_begins_and_ends_every_text_does_so_once(prepending):
    from tokenizers.processors import TemplateProcessing

    prepending.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    start, rest = continued(prepending, "a", " b")
    assert tokens(prepending, start) == ["<s>", "▁", "a"] and tokens(prepending, rest) == ["▁", "b"]
    assert tokens(prepending, question_ids(prepending, "a"))[-1] == ":"


class Slow:
    """As a tokenizer written in Python: it does not tell where its tokens stand."""

    is_fast = False

    def __init__(self, fast):
        self.eos_token_id, self._fast = fast.eos_token_id, fast

    def __call__(self, text, add_special_tokens=True, split_special_tokens=False):
        return self._fast(text, add_special_tokens=add_special_tokens, split_special_tokens=split_special_tokens)


def test_a_slow_tokenizer_is_given_the_parts(tokenizer):
    assert continued(Slow(tokenizer), "Ann Lee", " lives here.") == continued(tokenizer, "Ann Lee", " lives here.")
