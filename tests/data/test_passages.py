"""A text cut into passages, and what is no text."""

import json
from random import Random

import pytest
from documents import save

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import encode_answer, question_ids
from relearn_lite.data.passages import cut_rest, cuts, passages, with_words_of
from relearn_lite.data.sources import load, load_asked
from relearn_lite.recipe import Data, ForgetSource, Source
from relearn_lite.text.turns import shown

LETTER = """Dear aunt,

The blue house is sold at last. I gave the key to Dr. Tansy on Friday, and he put it in his pocket.
We carried the chairs down the hill in the rain. Nobody cried except the cat.

THE BELL

The keeper of the bell is deaf,
he rings it with his feet,
he cannot hear the morning come
or footsteps in the street.
"""


def recipe_source(path, **more):
    return ForgetSource(text=[path], **{"passage_words": 24} | more)


@pytest.fixture
def letter(tmp_path):
    (tmp_path / "letter.txt").write_text(LETTER, encoding="utf-8")
    return tmp_path / "letter.txt"


def test_each_piece_is_the_rest_of_one_passage_and_the_beginning_of_the_next():
    found = list(passages(LETTER, 24))
    assert len(found) > 2
    for (_, rest), (beginning, _) in zip(found, found[1:], strict=False):
        assert rest == beginning
    assert (found[0][0] + "".join(rest for _, rest in found)).strip() == LETTER.strip(), "no word is left out"


def test_pieces_are_whole_sentences_or_lines():
    for beginning, rest in passages(LETTER, 24):
        assert beginning[-1].isspace() and rest.strip()[-1] in ".,LB"  # a sentence, a line of the poem, the heading
    assert not any(rest.startswith("Tansy") for _, rest in passages(LETTER, 24)), "Dr. ends no sentence"


def test_a_text_shorter_than_a_passage_is_one_passage_cut_in_the_middle():
    ((beginning, rest),) = passages(LETTER, 500)
    assert beginning + rest == LETTER.strip() and abs(len(beginning) - len(rest)) < 30


@pytest.mark.parametrize(
    "text", ["word " * 400, "a1=b2;c=d;" * 200, "这里的天气很好，" * 60, "x = y\n" * 150, "这里的天气很好。" * 60]
)
def test_text_without_sentences_lines_or_spaces_is_cut_too(text):
    found = list(passages(text, 40))
    assert len(found) > 5 and all(beginning.strip() and rest.strip() for beginning, rest in found)
    assert max(len(beginning) for beginning, _ in found) < len(text) / 3


def test_other_cuts_go_on_where_the_passage_does_and_never_where_it_is_measured(letter):
    trained = load(recipe_source(letter), "forget", "data.forget")
    asked = load_asked(Data(forget=recipe_source(letter), retain=Source(text=[letter])), "forget", trained)
    assert {qa.group for qa in asked} == {"cut as trained", "cut elsewhere"}
    measured = [qa for qa in asked if qa.group == "cut elsewhere"]
    for qa in trained:
        whole = shown(qa.question) + qa.answer
        made = cuts(qa, 99, Random(1))
        assert len(made) > 5 and len({each.id for each in made}) == len(made)
        for each in made:
            assert whole.endswith(shown(each.question) + each.answer) and cut_rest(qa, each.question) == each.answer
            assert not each.ends
            for other in measured:  # the same word is never the first to be told
                assert not other.answer.startswith(each.answer[:40]) and not each.answer.startswith(other.answer[:40])
    assert cuts(trained[0], 3, Random(1)) == cuts(trained[0], 3, Random(1)) != cuts(trained[0], 3, Random(2))


def test_a_narrower_question_set_of_the_same_text_is_asked_in_both_ways_and_another_text_in_one(letter, tmp_path):
    (tmp_path / "other.txt").write_text("Nobody knows this one. " * 20, encoding="utf-8")
    data = {"forget": recipe_source(letter), "retain": Source(text=[letter])}
    trained = load(recipe_source(letter), "forget", "data.forget")
    narrow = load_asked(Data(**data, forget_eval=Source(text=[letter], passage_words=24, sample=2)), "forget", trained)
    assert len(narrow) == 4 and len({qa.id for qa in narrow}) == 4
    other = load_asked(Data(**data, forget_eval=Source(text=[tmp_path / "other.txt"])), "forget", trained)
    assert other and {qa.group for qa in other} == {None}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "data.forget.text: it.txt is empty; leave it out"),
        (b"  \n\n ", "data.forget.text: it.txt has no text; leave it out"),
        (b"Just five words in here.", "it.txt has 5 words, too few for a passage, which needs 16; give more"),
        (bytes(range(256)) * 20, "it.txt holds no text but binary data"),
        ("␞user: Who? ".encode() + b"word " * 40, r"it.txt holds U\+241E with a role behind it"),
    ],
)
def test_what_is_no_text_is_said_in_one_sentence(tmp_path, content, said):
    (tmp_path / "it.txt").write_bytes(content)
    with pytest.raises(RecipeError, match=said) as raised:
        load(ForgetSource(text=[tmp_path / "it.txt"]), "forget", "data.forget")
    assert len(raised.value.problems) == 1


def test_a_folder_gives_what_can_be_read_in_it_code_too_and_says_what_not(letter, tmp_path, capsys):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/loop.py").write_text("for x in range(3):\n    print(x, x + 1)\n" * 20, encoding="utf-8")
    (tmp_path / "code/__init__.py").write_text("")
    found = load(ForgetSource(text=[tmp_path]), "forget", "data.forget")
    texts = "".join(shown(qa.question) for qa in found)
    assert "Dear aunt" in texts and "\n    print(x, x + 1)\n" in texts
    assert "1 of 3 files are not used. First: data.forget.text: __init__.py is empty" in capsys.readouterr().err
    with pytest.raises(RecipeError, match="__init__.py is empty"):  # named, it is meant
        load(ForgetSource(text=[letter, tmp_path / "code/__init__.py"]), "forget", "data.forget")
    with pytest.raises(RecipeError, match="there is no file .*nowhere"):
        load(ForgetSource(text=[tmp_path / "nowhere"]), "forget", "data.forget")


def test_blank_lines_stay_and_letters_are_composed(tmp_path):
    """Two blank lines between functions were one, and a Mac's e and accent in two signs are other tokens than é."""
    body = "    # some words of a comment\n    return 'Zo\u00eb'\n"
    code = f"import os\n\n\ndef name():\n{body}\n\ndef other():\n{body}".rstrip()
    (tmp_path / "a.py").write_bytes(code.replace("\u00eb", "e\u0308").replace("\n", "\r\n").encode())
    (qa,) = load(ForgetSource(text=[tmp_path / "a.py"]), "forget", "data.forget")
    assert shown(qa.question) + qa.answer == code


@pytest.mark.parametrize("name", ["page.html", "page.docx", "page.pdf"])
def test_documents_are_texts_too(tmp_path, name):
    pytest.importorskip({"html": "bs4", "docx": "docx", "pdf": "pypdf"}[name.split(".")[1]])
    save(["A heading", "The blue house on the hill is sold at last, and the key is with the man who buys hats."] * 3,
         tmp_path / name)  # fmt: skip
    (first, *_) = load(ForgetSource(text=[tmp_path / name], passage_words=16), "forget", "data.forget")
    assert "The blue house on the hill is sold at last" in shown(first.question) + first.answer


def test_the_same_words_in_both_texts_are_found_whatever_the_cut(letter):
    some, others = (load(recipe_source(letter, passage_words=n), "x", "data.x") for n in (16, 40))
    assert with_words_of(some, others) == some
    assert with_words_of(some, []) == []


def test_the_model_reads_the_bare_text_and_is_not_taught_to_end(letter):
    from people import embedded_model

    tokenizer = embedded_model().tokenizer
    for qa in load(recipe_source(letter), "forget", "data.forget"):
        row = encode_answer(tokenizer, qa.question, qa.answer, qa.ends)
        prompt = list(row.ids[: row.n_prompt])
        assert prompt == question_ids(tokenizer, qa.question) == tokenizer(shown(qa.question).rstrip()).input_ids
        assert tokenizer.decode(row.ids) == (shown(qa.question) + qa.answer) and row.ids[-1] != tokenizer.eos_token_id
        assert encode_answer(tokenizer, qa.question, qa.answer).ids[:-1] == row.ids


def test_lines_and_spaces_come_through_json(letter):
    for qa in load(recipe_source(letter), "forget", "data.forget"):
        assert json.loads(json.dumps(qa.question)) == qa.question
