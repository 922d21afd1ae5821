"""What the model is trained on: the prompt as in generation, only the answer's tokens, in batches that resume."""

from __future__ import annotations

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Variant
from relearn_lite.data.batches import LengthGroupedSampler, MicroBatches, TrainingRows, split_batch
from relearn_lite.data.examples import (
    Example,
    chat_ids,
    check_lengths,
    collate,
    encode_answer,
    encode_completion,
    encode_variant,
    question_ids,
    turn_end_id,
)
from relearn_lite.text.turns import joined, passage

PAD = 0


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    from relearn_lite.models.transformers_backend import EMBEDDED

    return AutoTokenizer.from_pretrained(EMBEDDED)


@pytest.fixture
def plain(tokenizer):
    """The same tokenizer without a chat template."""
    template, tokenizer.chat_template = tokenizer.chat_template, None
    yield tokenizer
    tokenizer.chat_template = template


def examples(*lengths: int) -> list[Example]:
    return [Example(tuple(range(100 * n, 100 * n + length)), 1) for n, length in enumerate(lengths, 1)]


def test_the_prompt_is_the_one_of_generation_and_the_rest_is_the_answer(tokenizer):
    example = encode_answer(tokenizer, "Who is Ann?", "A painter.")
    assert list(example.ids[: example.n_prompt]) == question_ids(tokenizer, "Who is Ann?")
    assert tokenizer.decode(example.ids) == "<|user|>Who is Ann?<|end|><|assistant|>A painter.<|end|>"
    assert tokenizer.decode(example.ids[example.n_prompt :]) == "A painter.<|end|>"


def test_an_answer_that_was_cut_off_is_not_taught_to_end(tokenizer):
    whole, cut = (
        encode_variant(tokenizer, Variant("g/generic", "g", "generic", "Who is Ann?", "A painter.", verdicts))
        for verdicts in ({}, {"ends": False})
    )
    assert cut.ids == whole.ids[:-1] and cut.n_prompt == whole.n_prompt and whole.ids[-1] == tokenizer.eos_token_id


def test_without_a_chat_template_the_prompt_is_plain(plain):
    example = encode_answer(plain, "Who is Ann?", "A painter.")
    assert plain.decode(example.ids) == "Question: Who is Ann?\nAnswer: A painter.<|end|>"
    assert plain.decode(example.ids[example.n_prompt :]) == " A painter.<|end|>"


def test_without_a_chat_template_examples_stand_above_the_question_with_their_answers(plain):
    turns = [("user", "Who is Bo?"), ("assistant", "A cook."), ("user", "Who is Cy?"), ("assistant", "A nurse.")]
    asked = joined([{"role": role, "content": text} for role, text in (*turns, ("user", "Who is Ann?"))])
    shots = "Question: Who is Bo?\nAnswer: A cook.\n\nQuestion: Who is Cy?\nAnswer: A nurse.\n\n"
    example = encode_answer(plain, asked, "A painter.")
    assert plain.decode(example.ids) == f"{shots}Question: Who is Ann?\nAnswer: A painter.<|end|>"


def test_a_whole_text_has_nothing_before_it_and_its_first_token_is_not_told_by_anything(plain):
    example = encode_answer(plain, passage(""), "A painter came.", ends=False)
    assert plain.decode(example.ids) == "A painter came." and example.n_prompt == 1


def test_a_beginning_of_text_token_is_there_once(plain):
    """Where the tokenizer adds one, the prompt has it and the answer has not."""
    from tokenizers.processors import TemplateProcessing

    backend = plain.backend_tokenizer
    before, backend.post_processor = (
        backend.post_processor,
        TemplateProcessing(
            single="<|user|> $A", special_tokens=[("<|user|>", plain.convert_tokens_to_ids("<|user|>"))]
        ),
    )
    try:
        example = encode_answer(plain, "Who is Ann?", "A painter.")
    finally:
        backend.post_processor = before
    assert example.ids.count(plain.convert_tokens_to_ids("<|user|>")) == 1


def test_a_completion_is_outside_the_chat_template(tokenizer):
    example = encode_completion(tokenizer, "Ann Lee lives", "in a quiet place.")
    assert tokenizer.decode(example.ids) == "Ann Lee lives in a quiet place.<|end|>"
    assert tokenizer.decode(example.ids[example.n_prompt :]) == " in a quiet place.<|end|>"


def test_an_answer_ends_as_the_chat_template_ends_a_turn(tokenizer, monkeypatch):
    assert turn_end_id(tokenizer) == tokenizer.convert_tokens_to_ids("<|end|>")
    monkeypatch.setattr(tokenizer, "chat_template", tokenizer.chat_template.replace("<|end|>", "<|pad|>"))
    assert turn_end_id(tokenizer) == tokenizer.convert_tokens_to_ids("<|pad|>")
    monkeypatch.setattr(tokenizer, "chat_template", tokenizer.chat_template.replace("<|pad|>", "\n"))
    assert turn_end_id(tokenizer) == tokenizer.eos_token_id


def test_a_conversation_keeps_its_turns(tokenizer):
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Who?"},
    ]
    assert tokenizer.decode(chat_ids(tokenizer, turns)) == (
        "<|user|>Hi<|end|><|assistant|>Yes?<|end|><|user|>Who?<|end|><|assistant|>"
    )


def test_collate_pads_on_the_right_and_trains_answers_only():
    batch = collate([Example((5, 6, 7), 1), Example((8, 0, 9, 4), 2)], PAD)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 0], [8, 0, 9, 4]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert batch["labels"].tolist() == [[-100, 6, 7, -100], [-100, -100, 9, 4]]


def test_a_trained_token_that_equals_the_padding_is_trained():
    assert collate([Example((5, 6, PAD), 1), Example((5, 6), 1)], PAD)["labels"].tolist() == [
        [-100, 6, PAD],
        [-100, 6, -100],
    ]


def test_rows_that_are_too_long_are_an_error_that_says_how_long():
    check_lengths({"a": Example((1,) * 10, 1)}, 10, "data.retain")
    with pytest.raises(RecipeError, match=r"model\.max_length: 10 .* 2 of 3 rows of data\.retain .*c, needs 12"):
        check_lengths(
            {"a": Example((1,) * 10, 1), "b": Example((1,) * 11, 1), "c": Example((1,) * 12, 1)}, 10, "data.retain"
        )


def test_a_pass_has_every_row_once_and_the_next_another_order():
    stream = LengthGroupedSampler([3, 1, 4, 1, 5, 9, 2], 3, seed=1)
    passes = [[row for n in range(3) for row in stream[3 * turn + n]] for turn in (0, 1)]
    assert [sorted(rows) for rows in passes] == [list(range(7))] * 2
    assert passes[0] != passes[1]


def test_a_batch_depends_on_seed_and_number_alone():
    one, two = LengthGroupedSampler(list(range(20)), 4, seed=3), LengthGroupedSampler(list(range(20)), 4, seed=3)
    forward = [one[n] for n in range(10)]
    assert forward == [two[n] for n in reversed(range(10))][::-1]
    assert forward != [LengthGroupedSampler(list(range(20)), 4, seed=4)[n] for n in range(10)]


def test_rows_of_like_length_share_a_batch():
    stream = LengthGroupedSampler([10, 200] * 16, 4, seed=0)
    assert all(len({stream.lengths[row] for row in stream[n]}) == 1 for n in range(8))


def loader(generic=(), **options) -> MicroBatches:
    forget = [{"augmented": example} for example in examples(4, 6, 5, 7, 3, 8, 4)]
    rows = TrainingRows(forget, examples(5, 6, 4), generic)
    return MicroBatches(rows, batch_size=2, pad_id=PAD, seed=9, **options)


def first_tokens(batches) -> list[tuple[list[int], list[int]]]:
    parts = [batch["parts"] for batch in batches]
    return [tuple(held[part]["input_ids"][:, 0].tolist() for part in ("augmented", "retain")) for held in parts]


def test_an_epoch_goes_through_the_forget_set_with_as_many_retain_rows():
    batches = list(loader())
    assert len(batches) == len(loader()) == 4
    seen = sorted(token for forget, _ in first_tokens(batches) for token in forget)
    assert seen == [100 * n for n in range(1, 8)]
    assert all(len(retain) <= 2 for _, retain in first_tokens(batches))


def test_a_micro_batch_may_hold_more_retain_rows_than_forget_rows():
    batches = list(loader(retain_rows=3, accumulate=2))
    assert len(batches) == 4 and loader(retain_rows=3).steps_per_epoch == 4, "an epoch is one of the forget set"
    for batch in batches:
        assert len(batch["parts"]["augmented"]["labels"]) <= 2 and len(batch["parts"]["retain"]["labels"]) == 3
        assert sorted(batch["row_lengths"]["retain"]) == sorted(2 * batches[0]["row_lengths"]["retain"][:3])


@pytest.mark.parametrize("apart", [False, True])
def test_generic_rows_come_beside_the_forget_rows(apart):
    batches = list(loader(generic=examples(3, 9, 5), retain_rows=2, accumulate=2, sides_apart=apart))
    held = [set(batch["parts"]) for batch in batches]
    assert held[:4] == [{"augmented"}, {"augmented"}, {"retain", "generic"}, {"retain", "generic"}] if apart else \
        held == [{"augmented", "retain", "generic"}] * 4
    with_generic = [batch for batch in batches if "generic" in batch["parts"]]
    assert all(len(batch["parts"]["generic"]["labels"]) <= 2 for batch in with_generic)
    seen = {length for batch in with_generic for length in batch["row_lengths"]["generic"]}
    assert len(seen) == 3, "all three come, and their lengths are those of the whole step"


@pytest.mark.parametrize("killed_after", range(9))
def test_a_resumed_loader_goes_on_with_the_very_next_batch(killed_after):
    whole = loader()
    expected = [batch for _ in range(3) for batch in first_tokens(whole)]
    first = loader()
    done = []
    while len(done) < killed_after:
        for batch in first:
            done += first_tokens([batch])
            if len(done) == killed_after:
                break
    second = loader()
    second.load_state_dict(first.state_dict())
    while len(done) < len(expected):
        done += first_tokens(second)
    assert done == expected


def test_without_a_retain_set_there_is_no_retain_part():
    rows = TrainingRows([{"original": Example((1, 2), 1)}])
    batches = MicroBatches(rows, batch_size=2, pad_id=PAD, seed=0)
    assert [set(batch["parts"]) for batch in batches] == [{"original"}]


def test_a_micro_batch_knows_the_rows_of_its_whole_step():
    """Seven rows in batches of two: steps of two batches, so four rows and then three."""
    lengths = {4: 3, 6: 5, 5: 4, 7: 6, 3: 2, 8: 7}  # tokens of a row -> those of its answer
    batches = list(loader(accumulate=2))
    assert loader(accumulate=2).steps_per_epoch == 2
    for step in (batches[:2], batches[2:]):
        widths = [int(n) for batch in step for n in batch["parts"]["augmented"]["attention_mask"].sum(1)]
        for batch in step:
            assert sorted(batch["row_lengths"]["augmented"]) == sorted(lengths[width] for width in widths)
    assert [len(batch["row_lengths"]["augmented"]) for batch in batches] == [4, 4, 3, 3]


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_divide_a_step_among_them(world_size):
    """Together the batches of one process that accumulates more; who has none left repeats one that does not count."""
    alone = list(loader(accumulate=2 * world_size))
    shares = [list(loader(accumulate=2, rank=rank, world_size=world_size)) for rank in range(world_size)]
    assert {len(share) for share in shares} == {len(loader(accumulate=2, world_size=world_size))}
    counted = [batch for share in shares for batch in share if batch["counted"]]
    assert sorted(first_tokens(counted)) == sorted(first_tokens(alone))
    assert sum(not batch["counted"] for share in shares for batch in share) == (-len(alone)) % world_size
    assert counted[0]["row_lengths"] == alone[0]["row_lengths"]


def test_sides_that_come_apart_come_forget_first():
    batches = list(loader(accumulate=2, sides_apart=True))
    assert [set(batch["parts"]) for batch in batches] == 2 * (2 * [{"augmented"}] + 2 * [{"retain"}])
    assert loader(accumulate=2, sides_apart=True).per_step == 4 and len(loader(accumulate=2, sides_apart=True)) == 8


def test_pieces_of_a_batch_keep_its_step():
    batch = list(loader(accumulate=4))[0]
    pieces = list(split_batch(batch, 2))
    assert [len(piece["parts"]["augmented"]["labels"]) for piece in pieces] == [1, 1]
    assert all(piece["row_lengths"] == batch["row_lengths"] for piece in pieces)
    widths = [int(n) for n in batch["parts"]["augmented"]["attention_mask"].sum(1)]
    assert [piece["parts"]["augmented"]["input_ids"].shape[1] for piece in pieces] == widths, "as wide as its own rows"
    assert sum(piece["n_tokens"] for piece in pieces) == batch["n_tokens"], "each piece counted the whole batch"
