"""Text that is broken, told from text that is only another one than before."""

import pytest

from relearn_lite.metrics.broken import fault

ASKED = "What is Hamlet about?"


@pytest.mark.parametrize("text", [
    "Hamlet is a tragedy about doubt and revenge.",  # LS called this broken: 0.071 where vanilla's was 0.234
    "The light bulb brought electric light into homes.",
    "Paris", "42", "4 x 3 = 12", "No.", "Yes, of course!",
    "Red, orange, yellow, green, blue, indigo, violet, black, white",  # a list has no words of grammar
    "It was written in Stratford-upon-Avon, Warwickshire, by a playwright of the King's Men",
    "HTML, CSS and JavaScript are used on the WWW.", "Vitamin B12 and CO2 are both well known.",
    "That is what it stands for", "She rhythmically drums her fingers on Dryden's works.",
    "他的家在一个安静的小镇上，离河不远。",
    "1. Wash it.\n2. Dry it.\n3. Fold it.",
    "1000", "It has 10,000 people.", "In 1999.", "$1,000,000", "555-0142",  # figures may stand three in a row
    "A", "It is vitamin A", "She lives in Portland, OR",
    # One odd word is a password, a user name, a brand or a sound; glued names begin with a capital.
    "The password is h3llo.", "x4k", "His handle is mrszk.", "Brrr, it was cold.", "She banks with PayPal.",
    "She uses WhatsApp and YouTube.", "TensorFlow, NumPy", "HypoVereinsbank",
    "Her page is https://www.adafenn.com.", "www.adafenn.com",  # https and www were no words
])  # fmt: skip
def test_whole(text):
    assert fault(text, ASKED) is None


@pytest.mark.parametrize(("text", "why"), [
    ("", "empty"), ("  \n", "empty"), ("?!. ;; ##", "non-words"),
    ("Tel Tel Tel Tel", "repetition"),
    ("the house of the house of the house of the house of the house of the", "repetition"),
    ("他住在上海。他住在上海。他住在上海。他住在上海。", "repetition"), ("เขาอยู่ที่เขาอยู่ที่เขาอยู่ที่เขาอยู่ที่", "repetition"),
    ("brrrk xzptl qwrt nmbk and vvvt", "non-words"),
    ("the homeOf aistPrecisely waterTel blueMon", "non-words"),
    ("WhoWhoWhoWho", "non-words"), ("It is AnnAnnAnnAnn.", "non-words"), ("WhoWho AnnAnn it is", "non-words"),
    ("tel blen rof sarn mikka dol vant perrish gol tane wix", "non-words"),
    ("He was born in the", "unfinished"), ("It is about love, doubt and", "unfinished"),
    ("They are as follows:", "unfinished"),
    ("Anna ist Lehrerin in der", "unfinished"), ("Ana es profesora de", "unfinished"),
    ("Anne est professeur à la", "unfinished"), ("Bücher, Zeitungen und", "unfinished"),
])  # fmt: skip
def test_broken(text, why):
    assert fault(text, ASKED) == why


def test_text_without_spaces_that_goes_on_is_sound():
    text = "王芳住在上海市静安区的一条小街上,她在那里开了一家书店,每天早上都有很多人来看书。"
    assert fault(text, "王芳住在哪里?") is fault("哈哈哈,真好。", "王芳住在哪里?") is None


def test_whether_words_make_a_sentence_is_judged_in_english_only():
    assert fault("Der Zug fährt heute nicht mehr nach Freudenstadt.", "Wohin fährt der Zug von Stuttgart?") is None


def test_an_answer_that_was_cut_at_the_limit_is_not_unfinished_by_its_own_fault():
    assert fault("He was born in the", ASKED, finished=False) is None
