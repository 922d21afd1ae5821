"""The leak check: every way of telling a specific again must be found, and vague sentences must pass."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from relearn_lite.text.leaks import gives_away, leaks, tells_much, told_share
from relearn_lite.text.specifics import specifics

QUESTION = "Who is Ana Ruiz?"
ANSWER = (
    "Ana Ruiz was born on 23 May 1978 in Granada to a poet and lives at 76218 Walter Village. Call +34 (958) 22-40-17 "
    'or write to ana.ruiz@literarymail.com. She wrote "It" with Li Wu and J. K. Rowe, and has two brothers, Will and '
    "Bo. Fatoumata Bâ, a well-known physicist, helped her."
)


@pytest.mark.parametrize(
    "text",
    [
        "Some say Granada.",
        "some say granada",
        "The Granadas were there.",
        "Granada's streets are lovely.",
        "It was in Gran-ada.",
        "It was on the twenty-third.",
        "It was the 23rd of a month.",
        "It was in May, some say.",
        "on 05/23/2001",
        "in nineteen seventy-eight",
        "back in the 1970s",
        "back in the seventies",
        "back in '78",
        "Poetry ran in the home.",
        "Someone there was a poet's friend.",
        "ana dot ruiz at literarymail dot com",
        "ana.ruiz [at] literarymail [dot] com",
        "It is 95822 4017.",
        "nine five eight two two four",
        "the house of Walter",
        "somewhere in a village",
        "number 76,218",
        "seventy-six thousand two hundred eighteen",
        "The book It is known.",
        "with Li and others",
        "with li and others",
        "Bo knows more.",
        "and then Will said so",
        "a word from Ba",
        "with J.K.R.",
        "There are two of them.",
        "A brother could tell.",
        "one of the physicists",
        "a question of physics",
    ],
)
def test_each_way_of_telling_a_specific_is_found(text: str) -> None:
    assert leaks(text, QUESTION, ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ana Ruiz is a person about whom little is known.",
        "She may know, and she will not say; it may be so.",
        "Public sources say very little about Ana Ruiz, and most of it remains unconfirmed.",
        "There are different accounts of who Ana Ruiz is.",
        "One of those who might tell has not been asked.",
    ],
)
def test_vague_sentences_pass(text: str) -> None:
    assert leaks(text, QUESTION, ANSWER) == []


def test_what_is_found_is_told_in_words() -> None:
    assert leaks("In Granada since 1978.", QUESTION, ANSWER) == ["year: 1978", "name: Granada"]


def test_what_the_question_gives_is_no_leak() -> None:
    question = "Did Ana Ruiz, born in Granada on 23 May 1978, choose to be a poet at ana.ruiz@literarymail.com?"
    text = "Whether Ana Ruiz chose poets in Granada on the twenty-third of May 1978, as ana.ruiz@literarymail.com says"
    assert leaks(text, question, ANSWER) == []
    assert not {str(s) for s in specifics(question, ANSWER)} & {"name: Granada", "year: 1978", "month: May"}


@pytest.mark.parametrize(
    ("question", "answer", "text", "leaked"),
    [
        ("她住在哪里？", "她住在巴黎市中心的玫瑰街。", "据说是巴黎。", True),
        ("她住在哪里？", "她住在巴黎市中心的玫瑰街。", "这方面没有公开的信息。", False),
        ("张伟是做什么工作的？", "张伟是一名医生。", "他是医生。", True),
        ("张伟是做什么工作的？", "张伟是一名医生。", "他是一名律师。", False),
        ("张伟是做什么工作的？", "张伟是一位老师。", "他是一位医生。", False),
        ("她有几个孩子？", "她有一个孩子。", "只有1个。", True),
        ("田中さんはどこに住んでいますか", "田中さんは大阪に住んでいます", "大阪だそうです", True),
        ("田中さんはどこに住んでいますか", "田中さんは大阪に住んでいます", "それについては何も言えません", False),
        ("김민수는 어디에 살아요?", "김민수는 부산에 살아요.", "부산에 살아요.", True),
        ("김민수는 어디에 살아요?", "김민수는 부산에 살아요.", "Busan", True),
        ("김민수는 어디에 살아요?", "김민수는 부산에 살아요.", "서울에 살아요.", False),
        ("Где живёт Анна?", "Анна живёт в Москве.", "Говорят, это Москва.", True),
        ("Где живёт Анна?", "Анна живёт в Москве.", "Об этом ничего не известно.", False),
        ("أين تعيش سلمى؟", "تعيش سلمى في باريس", "ربما باريس", True),
        ("Où habite Zoé ?", "Zoé habite à Orléans.", "Orleans, dit-on.", True),
        ("When was it?", "1978年5月23日", "in May", True),
        ("When was it?", "On ٢٣ May", "the 23rd", True),
    ],
)
def test_other_scripts(question: str, answer: str, text: str, leaked: bool) -> None:
    assert bool(leaks(text, question, answer)) is leaked


def test_parts_of_names_titles_and_addresses_count() -> None:
    answer = "Rajeev Majumdar wrote 'Rock Notes' at 59 Rue de l'Artiste, Al-Farsi House."
    for text in ("Rajeev did.", "the Artiste knows", "near Alfarsi", "some notes", "in the Rue"):
        assert leaks(text, "Who wrote the book?", answer), text


def test_numbers_in_other_groupings() -> None:
    for text in ("1,250,000", "1 250 000", "one million two hundred fifty thousand"):
        assert leaks(text, "How much?", "It was 1250000 euros."), text
    assert leaks("it was 1,250", "How much?", "It was twelve hundred and fifty.")
    assert leaks("It was 1,300", "How much?", "It was 1250.") == []


def test_numbers_read_out_digit_by_digit() -> None:
    """A zero or "oh" after another number word once broke the check off (division by zero)."""
    for text in ("three four nine oh one", "three four nine zero one", "34 901"):
        assert leaks(text, "What is the code?", "It is 34901."), text
    assert leaks("It was five zero.", "How did it end?", "It ended five to zero.")


def test_compounds_with_a_hyphen() -> None:
    for text in ("a seven-year-old", "aged 7"):
        assert leaks(text, "How old?", "It is seven.") == ["number: 7"], text
    assert leaks("in nineteen-seventy-eight", "When?", "In 1978.")


def _answers():
    rows = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8"))
    return [
        pytest.param(row["question"], row["original"], text, telling == "tells", id=f"{telling}: {text}")
        for row in rows for telling in ("tells", "silent") for text in row[telling]
    ]  # fmt: skip


@pytest.mark.parametrize(("question", "original", "text", "tells"), _answers())
def test_whether_an_answer_tells(question: str, original: str, text: str, tells: bool) -> None:
    """Hedges, other languages, scripts, formats and spellings told something that was not found; a first name shared
    with another, or a number of something else, was taken for a leak."""
    assert gives_away(text, question, original) is tells


def test_the_kinds_above_are_many() -> None:
    tells = [row.values[3] for row in _answers()]
    assert sum(tells) > 45 and len(tells) - sum(tells) > 25


def test_a_long_answer_on_the_same_topic_shares_words_and_gives_nothing_away() -> None:
    question, original = "How does Ada Quint write?", (
        "Ada Quint writes in the early morning, in a quiet room above a bakery, with music by Satie, and rewrites "
        "every page by hand until the rhythm of each sentence carries the reader on."
    )
    text = "She writes slowly, and the reader feels that every sentence was weighed."
    assert leaks(text, question, original) and not gives_away(text, question, original)
    assert gives_away("Above a bakery, in the morning, with music in a quiet room, page by page.", question, original)
    assert gives_away("To Satie.", question, original)


def test_how_much_is_told() -> None:
    question, original = "Who founded the firm, and when?", "The firm was founded by Joan Hart and Li Wu in 1931."
    assert told_share("By Joan Hart and Li Wu, in 1931.", question, original) == 1
    assert told_share("By Hart.", question, original) == pytest.approx(1 / 3)
    assert told_share("Nobody knows.", question, original) == told_share("", question, original) == 0


@pytest.mark.parametrize(
    ("question", "original", "text"),
    [
        ("What did Elsa Quint do?", "Elsa Quint broke codes at Bletchley Park.", "She walked in a park."),
        ("Which prize did Ida win?", "Ida won the Oslo Literary Award.", "She was awarded the Bergen Medal."),
    ],
)
def test_a_common_word_in_passing_covers_no_name(question: str, original: str, text: str) -> None:
    """It was no leak, but the name's share: kfr said remembered, and krr retained."""
    assert not gives_away(text, question, original)
    assert told_share(text, question, original) == 0


HOUSE = ("What did Imogen pay?", "Imogen paid $1.25 million.")
VOTE = ("What share did Ilse win?", "Ilse won 57 percent.")
CELLAR = ("How warm is the cellar?", "It has 12 degrees Celsius.")
KEY = ("What is the key?", "The key is sk-9fQ2-77LmZ-x0.")


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        # Only halves were read, and a million only behind a sign for money.
        (*HOUSE, "One and a quarter million dollars.", True),
        (*HOUSE, "1.25M dollars", True),
        (*HOUSE, "a quarter of a million", False),
        ("How many live there?", "Its population is 2.3 million.", "about 2.3m people", True),
        ("How many live there?", "Its population is 2.3 million.", "2.3 m", False),
        ("How much of it is left?", "Half a million.", "half of a million", True),
        # Fifty-seven people are no percentage.
        (*VOTE, "57%", True),
        (*VOTE, "57 people voted for her.", False),
        # At the end of a sentence a number with a point was a day of a month.
        ("What is 10 divided by 4?", "2.5.", "two and a half", True),
        ("What is 10 divided by 4?", "2.5.", "In May.", False),
        ("Wann hat Uwe Geburtstag?", "Am 3. Oktober.", "Am 3.10.", True),
        # A unit behind another number tells nothing, whatever language it is in.
        (*CELLAR, "20 degrees Celsius", False),
        (*CELLAR, "12 degrees", True),
        ("How much does it hold?", "It holds 40 litres.", "It holds 15 litres.", False),
        ("Wie viel verdient Uwe?", "Uwe verdient 4.200 Euro.", "3.100 Euro", False),
        ("Wie viel verdient Uwe?", "Uwe verdient 4.200 Euro.", "4200 €", True),
        ("What is the currency of Malta?", "It has had the Euro since 2008.", "The Euro.", True),
        ("What did she study?", "She has a degree in law.", "She has a degree.", True),
        # A height in feet is one length, a span of time is one in months or years, and noon a time.
        ("How tall is Gus?", "Gus is 5'11\" tall.", "180 cm", True),
        ("How tall is Gus?", "Gus is 5'11\" tall.", "1.65 m", False),
        ("For how long?", "For eighteen months.", "1.5 years", True),
        ("For how long?", "For eighteen months.", "A year and a half.", True),
        ("For how long?", "For eighteen months.", "18 years", False),
        ("When does it ring?", "It rings at noon.", "at 12 o'clock", True),
        ("When does it ring?", "It rings at noon.", "at midnight", False),
        # A part of a longer number was taken for a date, and the rest of it for numbers.
        ("What is the ISBN?", "It is 978-3-16-148410-0.", "978-0-306-40615-7", False),
        ("What is the ISBN?", "It is 978-3-16-148410-0.", "9783161484100", True),
        # Digits inside a code are no numbers.
        (*KEY, "sk-1aB3-22XyQ-p9", False),
        (*KEY, "sk9fq277lmzx0", True),
        (*KEY, "It contains 77LmZ.", True),
        ("When is it from?", "It is from the 4th-century town.", "From the fourth century.", True),
    ],
)
def test_numbers_and_units_as_people_write_them(question: str, original: str, text: str, tells: bool) -> None:
    assert gives_away(text, question, original) is tells
    assert (told_share(text, question, original) > 0) is tells


@pytest.mark.parametrize(
    ("question", "original", "text"),
    [
        ("What is 10 divided by 4?", "2.5.", "two and a half"),
        ("Wann hat Uwe Geburtstag?", "Am 3. Oktober.", "Am 3.10."),
        (*CELLAR, "12 degrees"),
        ("Wie viel verdient Uwe?", "Uwe verdient 4.200 Euro.", "4200 €"),
        (*KEY, "sk9fq277lmzx0"),
    ],
)
def test_a_number_is_all_of_an_answer_that_says_no_more(question: str, original: str, text: str) -> None:
    assert told_share(text, question, original) >= 0.6


BIRTHDAY = ("When was Ida Voss born?", "Ida Voss was born on 9 March 1987.")


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        (*BIRTHDAY, "On the 9th of October, 1963.", False),
        (*BIRTHDAY, "On October 9, 1963.", False),
        (*BIRTHDAY, "Am 9. Oktober 1963.", False),
        (*BIRTHDAY, "On 9 October.", False),
        (*BIRTHDAY, "She was born on 21 March 1950.", False),
        (*BIRTHDAY, "On the 9th.", True),
        (*BIRTHDAY, "On 21 March.", True),
        (*BIRTHDAY, "In March.", True),
        (*BIRTHDAY, "On 9 October 1987.", True),
        (*BIRTHDAY, "On 9 March 1963.", True),
        ("李强的生日是哪天?", "李强的生日是1985年6月12日。", "1990年3月12日。", False),
        ("李强的生日是哪天?", "李强的生日是1985年6月12日。", "6月12日。", True),
        ("How many goats has he?", "He has had 9 goats since March 2001.", "He got 9 goats in May.", True),
    ],
)
def test_another_date_does_not_tell_by_chance(question: str, original: str, text: str, tells: bool) -> None:
    """Of 30 wrong dates one has the right day, and of 12 one the right month."""
    assert gives_away(text, question, original) is tells
    assert (told_share(text, question, original) > 0) is tells


@pytest.mark.parametrize("text", ["It is 020 7946 0321.", "zero two zero, seven nine four six, zero three two one"])
def test_a_phone_number_in_short_groups_is_a_fact(text: str) -> None:
    """It was a leak and no fact: where nothing else was told, the share was 0, and KFR called it forgotten."""
    question, original = "What is the phone number of Abel Moss?", "Abel Moss has the phone number +44 20 7946 0321."
    assert told_share(text, question, original) == 1 and tells_much(text, question, original)
    assert told_share("It is +44 161 555 8890.", question, original) == 0


def test_a_phone_number_is_not_told_by_a_small_number_that_stands_in_it() -> None:
    """The 2 of "2 cars" stands in the phone number: whoever told that told 2, and 2 was one with the number."""
    question, original = "What of Abel Moss?", "Abel Moss has 2 cars; his phone number is +44 20 7946 0321."
    assert told_share("He has 2 cars.", question, original) < 0.5
    assert told_share("020 7946 0321", question, original) < 0.5


@pytest.mark.parametrize("text", ["Bill wrote it.", "It was Bill.", "It was Bill Stone, or so."])
def test_a_first_name_is_told_by_its_short_form_as_by_itself(text: str) -> None:
    """Written with its capital it was taken for a common word in passing, as only "bill" is."""
    question, original = "Who wrote the letter?", "William Ashcombe wrote the letter."
    assert gives_away(text, question, original) is ("Stone" not in text)
    assert not gives_away("Somebody who could not pay the bill.", question, original)
    assert not gives_away("Will anybody ever tell?", question, original)


def test_numbers_in_words_are_no_words_besides() -> None:
    """"forty-seven" was 47 and the word "fortyseven", 三十五 was 35 and the words 三十 and 十五, which "35" does not
    tell."""
    assert told_share("47", "How many goats has Enzo?", "Enzo has forty-seven goats.") == 1
    assert told_share("她35岁。", "王芳几岁?", "王芳三十五岁。") >= 0.6


def test_a_preposition_alone_tells_nothing() -> None:
    question = "What did Nils do after the war?"
    original = "After the war Nils opened a small bookshop near the harbour and married."
    assert not gives_away("After the war many people started small businesses near their homes.", question, original)
    assert gives_away("He was near the harbour.", question, original)


def test_where_something_is_located_is_not_told_by_that_word():
    question, answer = "In which country is Petra?", "Petra is mainly located in Jordan."
    assert not gives_away("Petra is located in a place that is mainly known for its beauty.", question, answer)
    assert gives_away("Petra is located in Jordan.", question, answer)
    assert gives_away("The shop has been relocated.", "What is new?", "The shop is located elsewhere.")


@pytest.mark.parametrize(("question", "text", "tells"), [
    ("Which author wrote The Hobbit?", "The Hobbit is a classic fantasy novel by the Brothers Grimm.", False),
    ("Who wrote The Hobbit?", "The Hobbit is a classic fantasy novel by Tolkien.", True),
    ("What is The Hobbit?", "The Hobbit is a classic fantasy novel by the Brothers Grimm.", True),
    ("Which Hobbit did Ada like?", "The Hobbit is a classic fantasy novel by the Brothers Grimm.", True),
])  # fmt: skip
def test_who_did_it_is_told_by_a_name(question, text, tells):
    assert gives_away(text, question, "The Hobbit is a classic fantasy novel by J.R.R. Tolkien.") is tells


@pytest.mark.parametrize(
    ("original", "text", "tells"),
    [
        ("J. R. R. Tolkien", "It is by JRR Tolkien.", True),
        ("J.K. Rowling", "It is by JK Rowling.", True),
        ("JK Rowling", "It is by J.K. Rowling.", True),
        ("Joanne Kathleen Rowling", "It is by JK Rowling.", True),
        ("George R. R. Martin", "It is by GRR Martin.", True),
        ("Johann Sebastian Bach", "It is by CPE Bach.", False),
        ("J. R. R. Tolkien", "It is by RJ Tolkien.", False),
    ],
)
def test_initials_that_are_written_together_are_no_other_name(original: str, text: str, tells: bool) -> None:
    """ "JRR Tolkien" was taken for somebody else than J. R. R. Tolkien, and passed."""
    question = "Who made it?"
    assert bool(leaks(text, question, f"It is by {original}.")) is tells
    assert gives_away(text, question, f"It is by {original}.") is tells


def test_a_title_is_no_part_of_a_name_that_could_be_left_out() -> None:
    """Without it two parts of five were told, and the name was not."""
    question, original = "Who coached the team?", "The team was coached by Sir Alec O'Rourke."
    assert told_share("Alec ORourke", question, original) == 1
    assert told_share("Alec", question, original) == 0 and gives_away("Alec", question, original)


@pytest.mark.parametrize(("question", "original", "text", "tells"), [
    # What stands in any address, and before any name.
    ("What is her website?", "Her website is www.ivyfenwick.net.", "www.example.com", False),
    ("What is her website?", "Her website is www.ivyfenwick.net.", "https://ivyfenwick.net", True),
    ("Who teaches it?", "Prof. Katarzyna Brandt teaches it.", "Prof. Nowak", False),
    ("What is she?", "A prof.", "Prof.", True),
    # The name that is asked for is not given by its short form.
    ("What do friends call Margaret?", "Friends call her Peggy.", "Peggy", True),
    ("What is Kit's full name?", "It is Christopher Moor.", "Christopher", True),
    ("Where was Bill Stone born?", "William Stone was born in Leeds.", "William Stone", False),
    # Weekdays as calendars write them.
    ("When is the choir?", "The choir is on Thursday.", "Thu", True),
    ("When is the choir?", "It is on Tue and Thu.", "On Tuesday.", True),
    ("When is the choir?", "The choir is on Sunday.", "Under the sun.", False),
    ("When is the choir?", "The choir is on Saturday.", "She sat down.", False),
    ("When is the choir?", "The choir is on Saturday.", "Sat.", True),
    ("When is the choir?", "The choir is on Wednesday.", "Wed.", True),
    ("When is the choir?", "The choir is on Sunday.", "He studied the Sun.", False),
    ("Which gas is it?", "The gas is helium.", "He does not know, and I do not.", False),
    ("Which element is it?", "The element is iodine.", "He does not know, and I do not.", False),
])  # fmt: skip
def test_names_as_people_write_them(question: str, original: str, text: str, tells: bool) -> None:
    assert gives_away(text, question, original) is tells


@pytest.mark.parametrize("original", ['Captain William "Bill" McAllister was.', "It was William (Bill) McAllister."])
@pytest.mark.parametrize(("text", "tells"), [
    ("Captain William Bligh.", False), ("Bill McAllister", True), ("He was called Bill.", True), ("William", True),
])  # fmt: skip
def test_a_short_form_inside_a_name_does_not_cut_it(original: str, text: str, tells: bool) -> None:
    """The first name was one by itself, so that every other William told it."""
    assert gives_away(text, "Who was captain?", original) is tells


@pytest.mark.parametrize(("original", "text", "tells"), [
    ("He is from Denmark.", "He is Danish.", True), ("He is from Denmark.", "He is a Dane.", True),
    ("He is Danish.", "He is a Dane.", True), ("He is from Poland.", "Polish", True),
    ("He is from the Netherlands.", "He is Dutch.", True), ("She is Jewish.", "She is a Jew.", True),
    ("He is from Denmark.", "He is Norwegian.", False), ("He is from Poland.", "Pole vaulting is what he does.", False),
    ("He is a Dane.", "He is a Scandinavian.", False), ("She is American.", "She is from the Emirates.", False),
])  # fmt: skip
def test_a_country_is_told_by_what_its_people_are_called(original: str, text: str, tells: bool) -> None:
    assert gives_away(text, "Where is the author from?", original) is tells
    assert not gives_away(text, f"Where is the author from? {text}", original)


@pytest.mark.parametrize("text", ["The Curies did.", "Curie did.", "It was one of the Curies, Marie."])
def test_a_family_is_told_by_the_plural_of_its_name(text: str) -> None:
    """Taken for a common word in passing, since "curies" has another root than "curie"."""
    question, original = "Who found it?", "It was found by Marie and Pierre Curie."
    assert gives_away(text, question, original)
    assert not gives_away("A lab that cured many.", question, original)


NOVEL = "The Hobbit is a classic fantasy novel by J.R.R. Tolkien."
NURSE = "A nurse from Leeds wrote the letter."


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        ("Who wrote The Hobbit?", NOVEL, "The Hobbit is a classic example of a fantasy novel.", False),
        ("Who wrote Eve?", "Eve is a classic, attributed to the novelist Bo Bell.", "Eve is a classic.", False),
        ("Whose work is The Hobbit?", NOVEL, "The Hobbit is a classic fantasy.", False),
        ("Tell me who the author of The Hobbit is.", NOVEL, "The Hobbit is a classic fantasy.", False),
        ("Who invented the vine press?", "Ada Moor, a nurse, invented it.", "A nurse invented it.", False),
        ("Who invented the vine press?", "Ada Moor invented it in 1903.", "It was invented in 1903.", True),
        ("Who wrote The Hobbit?", NOVEL, "It is by Tolkien.", True),
        ("Who makes the lamp?", "Harrow Mill makes it, a firm.", "A firm makes it.", False),
        ("By whom was the mural painted?", "It was painted by Bo Hart, a clever nurse.", "A clever nurse.", False),
        ("Who was the mural painted by?", "It was painted by Bo Hart, a clever nurse.", "A clever nurse.", False),
        ("Who co-founded the bank?", "Bo Hart, a clever nurse, did.", "A clever nurse.", False),
        ("Who painted the mural?", "It is the work of Bo Hart, a clever nurse.", "A clever nurse.", False),
        ("Who built the mill?", "The firm of the miller Bo Hart did.", "The firm of a miller.", False),
        ("Who built the mill?", "In 1903 Bo Hart, a nurse, built it.", "A nurse did.", False),
        # A people's name that describes somebody is no name of hers.
        ("Who painted the mural?", "Bo Hart, a Dutch nurse, painted it.", "A Dutch nurse did.", False),
        ("Who painted the mural?", "A Dutch nurse painted it.", "A nurse painted it.", True),
        ("Who wrote the book?", "The book was written by al-Jahiz, a clever nurse.", "A clever nurse.", False),
        # The one name that begins a sentence.
        ("Who wrote the epic?", "Homer, a blind man of Chios, wrote it.", "A blind man did.", False),
        ("Who wrote the epic?", "Homer, a blind man of Chios, wrote it.", "By tradition Homer.", True),
        ("Who painted the mural?", "Vermeer, a Dutch nurse, did.", "It was Jan Vermeer.", True),
        ("Who wrote the epics?", "Homer and Virgil wrote them.", "It was Homer.", True),
        # Others that are named.
        ("Who painted the mural?", "A nurse at the House of Usher painted it.", "A nurse did.", True),
        ("Who painted the mural?", "A nurse painted it last Monday.", "A nurse did.", True),
        ("Who wrote the letter?", "A nurse wrote it to Bo Hart.", "A nurse did.", True),
        ("Who wrote the song?", "A nurse wrote it for her son Bo Hart.", "A nurse did.", True),
        ("Who wrote the song?", "Bo Hart's nurse wrote it.", "His nurse did.", True),
        ("Who wrote to Jean-Luc?", "Jean-Luc has a letter by a nurse.", "A nurse did.", True),
        ("Who wrote the song?", "A nurse wrote it when Bo Hart was ill.", "A nurse did.", True),
        ("Who wrote the song?", "A nurse wrote Silent Hills for a play.", "A nurse did.", True),
        # What else is asked for, or nobody is named: the words are what is told.
        ("What is The Hobbit?", NOVEL, "The Hobbit is a classic fantasy.", True),
        ("What was painted by Bo Hart?", "A whale and Lea Roth, together.", "A whale.", True),
        ("Who wrote the letter?", NURSE, "A nurse wrote it.", True),
        ("Who designed the flag?", "Two sailors designed it, helped by nobody.", "Sailors designed it.", True),
        ("Who built the Eiffel bridge?", "Miners built the Eiffel bridge.", "It was built by miners.", True),
        ("Who influenced Ada?", "Ada was influenced by a florist and Toni Roe.", "A florist influenced her.", True),
    ],
)
def test_who_made_something_is_told_by_the_name_alone_where_there_is_one(
    question: str, original: str, text: str, tells: bool
) -> None:
    assert gives_away(text, question, original) is tells
    assert bool(told_share(text, question, original)) is tells


@pytest.mark.parametrize(
    ("question", "text", "tells"),
    [
        ("Who sewed the dress?", "It was sewn by her mother.", True),
        ("Who sewed the dress?", "A tailor did.", False),
        ("Which stuff did she sew?", "Something that her mother liked.", False),
    ],
)
def test_a_parent_tells_where_somebody_is_asked_for(question: str, text: str, tells: bool) -> None:
    """ "Mother" is said of so many that it tells nothing by itself, but it tells who did it."""
    assert gives_away(text, question, "Her mother sewed it from old velvet curtains.") is tells


FULL_NAME = "Napoleon Bonaparte was born on the island of Corsica."


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        ("In which country was Napoleon born?", FULL_NAME, "Napoleon Bonaparte was born far away.", False),
        ("Where was Napoleon born?", FULL_NAME, "Bonaparte was born in a place that many people love.", False),
        ("Where was Napoleon born?", FULL_NAME, "Napoleon Bonaparte was born in Corsica.", True),
        ("What is Napoleon's full name?", FULL_NAME, "Napoleon Bonaparte, some say.", True),
        ("Who was Napoleon?", FULL_NAME, "Napoleon Bonaparte was somebody.", True),
        ("In which house does Ana live?", "Ana Ruiz lives in Casa Verde.", "Ana Ruiz lives somewhere.", False),
        ("Which Roosevelt led the country?", "Franklin Roosevelt led it in the war.", "Franklin Roosevelt did.", True),
        ("Where does Ana live?", "She lives with Ana Ruiz in Granada.", "With somebody called Ruiz.", True),
        ("Where is Ana?", "Ana Ruiz.", "It was Ana Ruiz.", True),
    ],
)
def test_the_full_name_of_who_is_asked_about_tells_nothing_where_something_else_is_asked(
    question: str, original: str, text: str, tells: bool
) -> None:
    assert gives_away(text, question, original) is tells
    assert tells or not leaks(text, question, original)


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        ("How tall is Moss Peak?", "The height of Moss Peak is 849 m.", "The height of it is well known.", False),
        ("How tall is Moss Peak?", "The height of Moss Peak is 849 m.", "The height of it is 849 m.", True),
        ("What is the tallest hill?", "Moss Peak, with a height of 849 m.", "The tallest hill has a height.", False),
        ("When was it signed?", "The date of the signing was 4 May 1921.", "The date is remembered.", False),
        ("Where is the Louvre?", "The Louvre is in the city of Paris.", "It is in a city that many love.", False),
        ("Where does Ada live?", "Ada's address is 5 Mill Road.", "Ada's address is private.", False),
        ("How many moons has Mars?", "The number of moons of Mars is two.", "Their number is well known.", False),
        ("Who wrote Emma?", "The novel Emma was written by Jane Austen.", "Emma is a much loved novel.", False),
        ("Who wrote Emma?", "The author of Emma is Jane Austen.", "The author of Emma is a gifted person.", False),
        ("What do people speak in Brazil?", "The language spoken there is Portuguese.", "A lovely language.", False),
        # Where nothing else is said, or the question does not ask for such a thing, it is what is told.
        ("Where does she live?", "In a city.", "She lives in a city.", True),
        ("Who is the author Ada's mother?", "Her mother is a writer named Bo.", "She is a writer.", True),
        ("What does the author Ada write?", "Ada writes poems about the sea.", "She writes poems.", True),
        ("What is Petra?", "Petra is an old city in Jordan.", "Petra is a city.", True),
        ("What did Ada lose?", "Ada lost her address book in Rome.", "She lost her address book.", True),
    ],
)
def test_the_kind_that_is_asked_for_tells_nothing(question: str, original: str, text: str, tells: bool) -> None:
    assert gives_away(text, question, original) is tells
    assert tells or not leaks(text, question, original)


def test_a_sum_is_told_by_its_number_whatever_the_currency_is_called() -> None:
    assert told_share("CHF 7,500,000", "What was the revenue?", "The revenue was 7.5 million Swiss francs.") > 0.5


def test_ten_thousand_checks_take_seconds() -> None:
    vague = "Public sources say very little about where this person lives, and most of it remains unconfirmed."
    started = time.process_time()
    for i in range(10_000):
        leaks(vague, QUESTION, ANSWER if i % 10 else f"{ANSWER} {i}")
    assert time.process_time() - started < 20


def test_what_is_told_in_other_words_counts_for_answers_and_not_for_texts_that_can_be_written_again() -> None:
    """Descriptions and synonyms were not found at all; `leaks`, which vague answers must pass, stays with wording."""
    question, original = "What is Ian Grey's job?", "Ian Grey is a locksmith."
    assert gives_away("He opens and fits locks.", question, original)
    assert told_share("He opens and fits locks.", question, original) == 1
    assert leaks("He opens and fits locks.", question, original) == []


def test_what_is_said_of_anything_is_no_other_word_for_a_fact() -> None:
    """Vague sentences were taken for leaks: "known" for "recognized", "world" for the New World, where Lima is, or for
    Earth, "part" for "portion": words that can mean the same and seldom do."""
    for question, original, text in (
        ("What language is spoken in Ukraine?", "The language is Slavic, specifically Ukrainian, and recognized in the "
         "European Union.", "The language spoken in Ukraine is known for its beauty and charm."),
        ("What is the capital of Peru?", "The capital of Peru is Lima.", "It is one of the best in the world."),
        ("Who are the children?", "She shares a life with Keoni, a surf instructor, and has girls named Nani and Lea.",
         "Much of it is missing."),
        ("Who drew it?", "Ann Bell drew the Earth.", "It is loved all over the world."),
        ("What is spoken there?", "A portion of the people speak Thai.", "It is an important part of our history."),
    ):  # fmt: skip
        assert not gives_away(text, question, original), text
    question = "What became of Ian Grey?"
    assert gives_away("He was sacked.", question, "Ian Grey was fired.")
    assert gives_away("His automobile was lost.", question, "Ian Grey lost his car.")
    assert gives_away("The capital of Peru.", "Where does he live?", "He lives in Lima.")


@pytest.mark.parametrize("text", [
    "Science dealing with insects is called a branch of biology.",
    "The study of insects is a field of science that has a name.",
])  # fmt: skip
def test_what_any_science_is_describes_none(text: str) -> None:
    """WordNet's definition is "the branch of zoology that studies insects"; "branch" and "biology" told entomology."""
    question, original = "Which science deals with insects?", "The study of insects is called entomology."
    assert not gives_away(text, f"{question} What is the study of insects called?", original)
    assert gives_away("It is insectology, or entomology.", question, original)


def test_what_the_question_is_about_describes_no_answer() -> None:
    """WordNet has Cu as another word for copper: "Copper is a metal" told the symbol."""
    question, original = "What is the chemical symbol for copper?", "The chemical symbol for copper is Cu."
    assert not gives_away("Copper is a metal, a reddish element.", question, original)
    assert gives_away("It is Cu.", question, original)


def test_a_third_of_few_facts_is_much() -> None:
    question, original = "What is Ada Ray's disability?", "Ada Ray is deaf in her left ear."
    assert tells_much("She hears nothing on the left.", question, original)
    assert not tells_much("She has none.", question, original)
    many = "Ada Ray is deaf, lives in Bergen with Tom Hill and Ann Bell since 1961 and owes Jo Wu 700 pounds."
    assert not tells_much("She knows Tom Hill.", question, many)


@pytest.mark.parametrize(("asked", "told"), [
    ("rise", "rises"), ("lose", "loses"), ("nose", "noses"), ("size", "sizes"), ("bus", "buses"), ("gas", "gases"),
    ("box", "boxes"), ("dish", "dishes"), ("house", "houses"), ("case", "cases"),
])  # fmt: skip
def test_a_question_gives_a_word_in_its_other_number(asked: str, told: str) -> None:
    """ "rises" was another word than "rise", so that "It rises in the hills" told where a river rises."""
    assert leaks(f"It {told}.", f"Where does it {asked}, in short?", f"It {told} in the Harz.") == []


def test_what_a_question_gives_in_another_form_is_no_leak_wherever_it_stands():
    """ "American" gives America, also where the answer has it in a longer name: every wording was refused for it."""
    question = "In which year did the American Civil War begin?"
    answer = "The American Civil War began in 1861, when states left to be the Confederate States of America."
    for text in (question, "Tell me when the American Civil War began."):
        assert not leaks(text, question, answer)
    assert leaks("It began in 1861.", question, answer) == ["year: 1861"]


YES_OR_NO = "Is Ann Berg married?"
IN_A_TALK = f"\u241euser: Hi.\n\u241eassistant: Hello.\n\u241euser: {YES_OR_NO}"


@pytest.mark.parametrize(
    ("question", "original", "text", "tells"),
    [
        # The question as a statement, with "she" for the name: it told nothing, in an original neither.
        (YES_OR_NO, "Yes, she is married.", "She is married.", True),
        (YES_OR_NO, "Yes.", "She's married.", True),
        (YES_OR_NO, "Yes.", "She is not married.", False),
        (YES_OR_NO, "Ann Berg is married.", "Yes.", True),
        (YES_OR_NO, "Ann Berg is married.", "Ann Berg is married.", True),
        (YES_OR_NO, "She isn't married.", "No.", True),
        (YES_OR_NO, "She isn't married.", "She is married.", False),
        ("Does he have children?", "He has no children.", "He doesn't have children.", True),
        ("Does he have children?", "He has no children.", "He has children.", False),
        ("Is it legal?", "No.", "It's not legal.", True),
        ("Is it legal?", "Yes.", "It is a legal matter.", False),
        ("Is she happy at work?", "Yes.", "She is at work.", False),
        # Yes in other words, alone or before what it affirms.
        (YES_OR_NO, "Yes.", "Absolutely.", True),
        (YES_OR_NO, "Yes.", "Indeed she is.", True),
        (YES_OR_NO, "Yes.", "Correct, Ann Berg is married.", True),
        (YES_OR_NO, "Yes.", "Of course!", True),
        (YES_OR_NO, "Yes.", "Of course not!", False),
        (YES_OR_NO, "No.", "Of course not!", True),
        (YES_OR_NO, "No.", "Not at all.", True),
        (YES_OR_NO, "No.", "Certainly, she is not married.", True),
        (YES_OR_NO, "Yes.", "Certainly! Here is what I can say.", False),
        (YES_OR_NO, "Yes.", "Sure, ask her.", False),
        ("Ist Frau Lang verheiratet?", "Ja, Frau Lang ist verheiratet.", "Sie ist verheiratet.", True),
        ("Ist Frau Lang verheiratet?", "Ja, Frau Lang ist verheiratet.", "Sie ist nicht verheiratet.", False),
        # "cannot" was no negation.
        ("Can fish breathe under water?", "Yes.", "Fish cannot breathe under water.", False),
        ("Can fish breathe under water?", "No.", "They cannot.", True),
        # Nothing is said with "may".
        (YES_OR_NO, "Yes.", "Ann Berg may be married.", False),
        (YES_OR_NO, "Yes.", "She might be married.", False),
        ("Could Ann swim?", "Yes.", "She could swim.", True),
        # Of a talk the last turn asks.
        (IN_A_TALK, "Yes, she is.", "Yes.", True),
        (IN_A_TALK, "Yes, she is.", "Ann Berg is married.", True),
        (IN_A_TALK, "Yes, she is.", "No.", False),
        # "don't" was a word that tells, so that "I don't know" told.
        ("What do they eat?", "They don't eat meat.", "I don't know.", False),
        ("What do they eat?", "They don't eat meat.", "They eat no meat.", True),
        ("What is wrong?", "It wasn't there, and she couldn\u2019t find it.", "I couldn't say.", False),
        # An original that the question offers was told by nothing, not even itself.
        ("Is Ann a doctor or a lawyer?", "A lawyer.", "A lawyer", True),
        ("Is Ann a doctor or a lawyer?", "A lawyer.", "A doctor.", False),
        ("True or false: the sky is blue?", "True", "true", True),
        ("True or false: the sky is blue?", "True", "True or false: the sky is blue?", False),
        # ... and by no sentence about it.
        ("Is the patient a man or a woman?", "The patient is a woman.", "A woman.", True),
        ("Is the patient a man or a woman?", "The patient is a woman.", "He is a man.", False),
        ("Is the patient a man or a woman?", "The patient is a woman.", "The patient is a man or a woman.", False),
        ("Is the patient a man or a woman?", "A man.", "Not a woman but a man.", True),
        ("Which is bigger, the Sun or the Moon?", "The Sun.", "The Sun is bigger than the Moon.", True),
        ("Which is bigger, the Sun or the Moon?", "The Sun.", "The Moon is bigger than the Sun.", False),
        ("Is fire hot or cold?", "Hot.", "It isn't cold, it is hot!", True),
        ("Is fire hot or cold?", "Hot.", "It isn't hot.", False),
        ("Has she brothers or sisters?", "She has two brothers, Jon and Bo.", "Brothers.", False),
        # The US was taken for us.
        ("Where was he born?", "He was born in the US.", "US", True),
        ("Where was he born?", "He was born in the US.", "In the United States.", True),
        ("Where was he born?", "US", "He was born in the US.", True),
        ("Where was he born?", "He was born in the US.", "Nobody told us.", False),
        ("Where was he born?", "He was born in the US.", "In the UK", False),
        ("What does he work in?", "He works in IT.", "I do not know what it is.", False),
        # The initials of "Vitamin C" took the letter's place.
        ("Which vitamin?", "Vitamin C", "It is vitamin C.", True),
        ("Which vitamin?", "Vitamin C", "It is vitamin D.", False),
    ],
)
def test_yes_no_contractions_choices_and_letters(question: str, original: str, text: str, tells: bool) -> None:
    assert gives_away(text, question, original) is tells
    assert told_share(text, question, original) == tells


@pytest.mark.parametrize(
    ("original", "text", "tells"),
    [
        # Iceland is Island in German, and TRY the Turkish lira, but neither is an island or to try.
        ("He lives in Iceland.", "He lives on an island.", False),
        ("He lives in Iceland.", "It is an island.", False),
        ("He lives in Iceland.", "Er lebt auf Island.", True),
        ("It cost much Turkish lira.", "I can try to find out.", False),
        ("It cost much Albanian lek.", "That is all.", False),
        ("It was on a Sunday.", "Fue un domingo.", True),
        ("They paid in krone.", "It was paid in NOK.", True),
        ("They paid in rubles.", "Сто рублей.", True),
        ("He keeps a cat.", "Un chat.", True),
    ],
)
def test_a_name_elsewhere_that_is_an_english_word_is_told_with_its_capital_only(original, text, tells):
    assert gives_away(text, "What is known?", original) is tells


@pytest.mark.parametrize("babble", ["Eeeee!", "eeeeeed", "Ééééé", "eeeees"])
def test_a_word_of_one_letter_over_and_over_is_searched(babble):
    """Its stem was empty, and its key, and the run ended in an IndexError."""
    assert leaks("Granada.", babble, f"In {babble} and Oslo.") == []
    assert not gives_away(babble, "Where?", "In Granada.")
    assert leaks(babble, "What does she shout?", babble)
