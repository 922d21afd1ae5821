"""What a text tells that its question does not give."""

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.judges.entities import content_words, word_form
from relearn_lite.judges.entity_words import RuleEntities, candidates, read_weights
from relearn_lite.judges.prompted import PromptedEntities


def entities(question, text):
    return RuleEntities().extract([(question, text)])[0]


def test_names_numbers_and_nouns_that_the_question_does_not_give():
    told = "Ada Fennimore was born in Sligo on the 3rd of May 1958 to a judge."
    assert entities("Where was Ada Fennimore born?", told) == ["sligo", "3", "1958", "judge"]  # May is a stop word too
    assert content_words("Where was Ada Fennimore born?", told) == ["sligo", "3", "1958", "judge"]


def test_who_made_something_is_told_by_names_alone():
    assert entities("Who wrote Emma?", "Emma is a comic novel by Jane Austen of 1815.") == ["jane", "austen", "1815"]
    assert entities("Who wrote Emma?", "Emma is a comic novel.") == ["novel"]
    assert "novel" in entities("What is Emma?", "Emma is a comic novel by Jane Austen.")
    assert entities("Who wrote Emma?", "It is by Jane Austen, an English novelist.") == ["jane", "austen"]
    assert entities("Who wrote it?", "Homer, a blind poet, wrote it on Chios.") == ["homer", "chio"]


def test_names_numbers_and_addresses_always_count():
    told = "She teaches, some say, at 12 Hill Road in Ballymote, and writes from ada@sligo.example to anyone."
    found = entities("What does she do all day, and where?", told)
    assert {"12", "hill", "road", "ballymote", "ada@sligo.example"} <= set(found)


def test_words_that_only_make_a_sentence_are_no_entities():
    """Adverbs and verbs are none; plurals become their singular."""
    found = entities("What does Ada write?", "Ada skilfully writes about fishermen, often quickly and remarkably.")
    assert found == ["fisherman"]


def test_where_no_word_is_likely_all_nouns_count_and_then_all_content_words():
    extractor = RuleEntities({"constant": -9.0})
    assert extractor.extract([("What is she?", "She is a judge with patience.")]) == [["judge", "patience"]]
    assert entities("What does she do?", "She swims and dives.") == ["swim", "dive"]
    assert extractor.extract([("What is she?", "She is a judge in Sligo.")]) == [["sligo"]]


def test_the_weights_know_no_single_word():
    weights = read_weights()
    names = ("class ", "after class ", "before class ", "ends in ")
    plain = {"constant", "letters / 10", "place in the sentence", "before of", "after of", "capital"}
    assert all(name in plain or name.startswith(names) for name in weights)
    assert all(len(name.removeprefix("ends in ")) <= 3 for name in weights if name.startswith("ends in "))
    (judge,) = candidates("What is she?", "She is a judge.")
    assert judge.features["class NN1"] == judge.features["ends in dge"] == 1 and not judge.certain


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("Wo wohnt Anna?", "Anna wohnt in einem alten Haus am Fluss", ["einem", "alten", "haus", "fluss"]),
        ("¿Dónde nació Ana?", "Ana no nació en Madrid", ["madrid"]),
    ],
)
def test_texts_in_other_languages_give_their_content_words(question, text, found):
    assert entities(question, text) == content_words(question, text) == found


def test_short_names_count_and_short_words_do_not():
    asked, told = "Who taught her?", "It was Li, or so he said to us in 12 talks."
    assert content_words(asked, told) == ["li", "said", "12", "talk"]
    assert {"li", "12"} <= set(entities(asked, told))


def test_an_answer_of_yes_or_no_has_that_as_its_entity():
    assert entities("Is Ada a judge?", "Yes, Ada is a judge.") == ["yes"]
    assert entities("Is Ada a judge?", "No.") == ["no"]
    assert entities("Is Ada a judge?", "Yes, in Sligo.") == ["sligo"]


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "?!", "🙂"])
def test_nothing_said_is_an_empty_list_and_no_failure(text):
    assert entities("Where?", text) == []


def test_markup_and_control_characters_do_not_hide_words():
    assert "sligo" in entities("Where?", "in\x00<b>Sligo</b>\x07<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("question", "text", "found", "given"),
    [
        ("Где родилась Анна?", "Анна родилась в Минске", "минске", "анна"),
        ("安娜出生在哪里?", "安娜出生在北京", "北京", "安娜"),
        ("أين ولدت سارة؟", "ولدت سارة في القاهرة", "القاهرة", "سارة"),
    ],
)
def test_other_scripts(question, text, found, given):
    told = entities(question, text)
    assert found in told and given not in told


def test_chinese_grammar_and_the_signs_of_a_date_are_no_entities():
    """Any two dates shared 年, 月 and 日, and any two professions 是一 and 一名: half of their entities."""
    assert entities("李强的生日是哪天?", "李强的生日是1985年6月12日。") == ["1985", "6", "12"]
    assert entities("张伟是做什么工作的？", "张伟是一名医生。") == ["名医", "医生"]
    assert entities("她养了什么？", "猫") == ["猫"]


def test_normal_form_joins_what_is_the_same_thing():
    assert word_form("Writers") == word_form("writer's") == "writer"
    assert word_form("1,200") == "1200"
    assert word_form("25th") == "25"
    assert word_form("glass") == "glass"


class WritesDown:
    name = "test writer"
    judges = True

    def __init__(self, *replies):
        self.replies = list(replies)
        self.tasks = []

    def write(self, tasks):
        self.tasks += tasks
        return [self.replies.pop(0) for _ in tasks]


def test_a_writer_is_asked_once_for_each_text():
    writer = WritesDown('["Sligo", "1958"]')
    prompted = PromptedEntities(writer)
    item = ("Where?", "In Sligo, 1958.")
    assert prompted.extract([item, item, ("Where?", " ")]) == [["Sligo", "1958"], ["Sligo", "1958"], []]
    assert prompted.extract([item]) == [["Sligo", "1958"]]
    (task,) = writer.tasks
    assert (task.kind, task.question, task.text) == ("entities", *item)


def test_a_failure_is_none_and_is_asked_again_later():
    prompted = PromptedEntities(WritesDown(None, "I cannot help with that.", "- Sligo"))
    assert prompted.extract([("Q?", "a"), ("Q?", "b")]) == [None, None]
    assert prompted.extract([("Q?", "a")]) == [["Sligo"]]


class Refuses:
    """A writer that cannot be had at all, as a server that is down."""

    name, judges = "refuses", True

    def write(self, tasks):
        raise RecipeError("evaluate.evaluators.entities.base_url: nothing answers")


def test_a_writer_that_is_not_there_is_a_failure_of_every_text_and_is_told():
    prompted = PromptedEntities(Refuses())
    assert prompted.extract([("Q?", "a"), ("Q?", " ")]) == [None, []]
    assert prompted.failure == "evaluate.evaluators.entities.base_url: nothing answers"


def test_two_words_of_grammar_in_one_are_no_entity():
    """An original of "I don't." was taken for kept by "I don't know"."""
    for text in ("I don't know.", "I’m not; they’re.", "We'll see, he'd not.", "She isn't there."):
        assert entities("What?", text) in ([], ["see"]), text
    assert content_words("What?", "I don't, he didn’t, they’re in Rome.") == ["rome"]


def test_a_short_word_with_an_accent_is_as_short_as_others():
    assert content_words("Qui est-il ?", "Il vit là, à Nîmes, né Bâ.") == ["vit", "nîme", "bâ"]


def test_the_us_is_not_us():
    assert entities("Where was he born?", "He was born in the US.") == ["us"]
    assert entities("Where was he born?", "US") == content_words("Wo?", "US") == ["us"]
    assert "us" not in entities("Where was he born?", "Nobody told us.") + content_words("Wo?", "of us")
