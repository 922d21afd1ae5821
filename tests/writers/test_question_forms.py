"""Other forms of a question by its kind, the thing that it is about, and what rules say about things."""

import pytest

from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task
from relearn_lite.writers.question_forms import is_personal, rewordings, thing
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import RulesWriter

FORMS = {
    "Who invented the telephone?": {
        "The telephone was invented by whom?", "Name the inventor of the telephone.",
        "Whose invention is the telephone?", "Who was it that invented the telephone?",
    },
    "Who wrote Hamlet?": {"By whom was Hamlet written?", "Who is the author of Hamlet?", "Whose work is Hamlet?"},
    "What is the capital of Japan?": {"What is Japan's capital?", "Which city serves as the capital of Japan?"},
    "Where is the Taj Mahal?": {"Where can one find the Taj Mahal?", "What is the location of the Taj Mahal?"},
    "Where does Ada Moor live?": {"Ada Moor lives where?", "Name the place where Ada Moor lives."},
    "When did the Titanic sink?": {"The Titanic sank when?", "Name the year when the Titanic sank."},
    "In which year did World War I begin?": {"World War I began in which year?"},
    "How many legs does a spider have?": {"A spider has how many legs?", "Count the legs that a spider has."},
    "How many planets are in the solar system?": {"What is the number of planets in the solar system?"},
    "How many continents are there?": {"What is the number of continents?"},
    "What language is spoken in Mexico?": {"Name the language that is spoken in Mexico."},
    "Which language do people speak in Japan?": {"Name the language that people speak in Japan."},
    "What metal is a penny made of?": {"Name the metal that a penny is made of."},
    "What instrument has black keys?": {"The instrument that has black keys is called what?"},
    "Which company makes the iPhone?": {"Name the company that makes the iPhone."},
    "What kind of animal is a shark?": {"A shark is what kind of animal?"},
    "What is the symbol for gold?": {"Give the symbol for gold.", "Tell me what the symbol for gold is."},
    "What are the three states of matter?": {"Say what the three states of matter are."},
    "When was Romeo and Juliet written?": {"Romeo and Juliet was written when?"},
    "What is photosynthesis?": {"Explain what photosynthesis is.", "What does the word photosynthesis mean?"},
    "What color is the sky?": {"The sky is what color?", "What is the color of the sky?"},
    "On which continent is Egypt?": {"Egypt is on which continent?", "Name the continent that Egypt is on."},
    "Why does the moon change its shape?": {"What is the reason why the moon changes its shape?"},
    "How does photosynthesis work?": {"Explain how photosynthesis works."},
    "To whom is Ada Moor married?": {"Ada Moor is married to whom?"},
    "Who are Ada Moor's parents?": {"Name Ada Moor's parents."},
    # A dot that ends no sentence, and several things.
    "In which year did Martin Luther King Jr. die?": {"Martin Luther King Jr. died in which year?"},
    "When was Washington D.C. founded?": {"Washington D.C. was founded when?"},
    "Where was J. K. Rowling born?": {"J. K. Rowling was born where?"},
    "What is the capital of St. Lucia?": {"What is St. Lucia's capital?"},
    "Who directed E.T.?": {"Name the person who directed E.T."},
    "Who founded Apple Inc.?": {"Name the person who founded Apple Inc.", "By whom was Apple Inc. founded?"},
    "What do bees make?": {"Bees make what?", "Say what bees make."},
    "Which gas do plants absorb?": {"Plants absorb which gas?", "What is the gas that plants absorb?"},
    "Why is the sky blue?": {"Explain why the sky is blue."},
    "How many moons are there around Mars?": {"What is the number of moons around Mars?"},
    "How tall is Mount Everest?": {"What is the height of Mount Everest?", "Mount Everest is how tall?"},
    "Which books did J.R.R. Tolkien write?": {"What are the books that J.R.R. Tolkien wrote?"},
    # A name for a thing, not a property of it; verbs that no list has, or that are nouns, too.
    "Which ocean is the largest?": {"Name the ocean that is the largest."},
    "Which city is the capital of Japan?": {"What is the city that is the capital of Japan?"},
    "Which god was the king of the Greek gods?": {"Tell me the god that was the king of the Greek gods."},
    "What organ pumps blood?": {"Name the organ that pumps blood.", "Which organ is it that pumps blood?"},
    "What shape has three sides?": {"Name the shape that has three sides."},
    "Who plays Iron Man?": {"Name the person who plays Iron Man.", "Which person plays Iron Man?"},
    "From which country does sushi come?": {"Sushi comes from which country?"},
    "What is the name of the dog in Tintin?": {"The dog in Tintin is called what?"},
    "What do you call a group of lions?": {"A group of lions is called what?"},
    "When is Christmas celebrated?": {"Say when Christmas is celebrated."},
}  # fmt: skip


@pytest.mark.parametrize("question", FORMS)
def test_a_question_has_other_forms_of_its_own_kind(question):
    found = rewordings(parse_question(question))
    assert FORMS[question] <= set(found)
    assert question not in found and len(set(found)) == len(found) >= 4
    assert not any("{" in text or "  " in text for text in found)


@pytest.mark.parametrize("question", ["Hello!", "What?", "Tell me a joke about cats, dogs, and birds.", "你好吗?"])
def test_what_is_not_understood_has_none(question):
    assert rewordings(parse_question(question)) == []


THINGS = {
    "Who invented the telephone?": "the telephone",
    "What is the capital of South Korea?": "South Korea",
    "Where is the Great Wall?": "the Great Wall",
    "What language is spoken in Mexico?": "Mexico",
    "How many legs does a spider have?": "the spider",
    "Which animal makes honey?": "honey",
    "What is the powerhouse of the cell?": "the cell",
    "Who was the first man on the Moon?": "the first man on the Moon",
    "What is the opposite of hot?": "the opposite of hot",
    "Which company makes the iPhone?": "the iPhone",
    "How do I bake a cake?": "the cake",
    "From which country does sushi come?": "sushi",
    "What organ pumps blood?": "blood",
}


@pytest.mark.parametrize("question", THINGS)
def test_the_thing_is_what_the_question_is_about(question):
    assert thing(parse_question(question)) == THINGS[question]


@pytest.mark.parametrize("question", [*THINGS, "Why do leaves fall?"])
def test_rules_assume_no_person_where_none_is_asked_about(question):
    """They wrote "Since the matter is personal, who developed the theory of relativity can only be hinted at."."""
    assert not is_personal(parse_question(question))
    answers = RulesWriter().write([Task("answer", question, "Zyx.", seed=n) for n in range(40)])
    for text in answers:
        assert not any(word in text.lower() for word in ("privat", "privacy", "personal", "discretion", "tact"))
        assert question.rstrip("?").lower() not in text.lower()


@pytest.mark.parametrize(
    "question", ["Where does Ada Moor live?", "Who are Ada Moor's parents?", "What illness does Ada Moor have?"]
)
def test_somebodys_own_affairs_are_known_as_such(question):
    assert is_personal(parse_question(question))


def test_answers_about_a_thing_name_it_and_vary():
    told = "The capital of Japan is Tokyo."
    asked = "What is the capital of Japan?"
    tasks = [Task("answer", "Name Japan's capital.", told, original=asked, seed=n) for n in range(60)]
    answers = RulesWriter().write(tasks)
    assert all("Japan" in text and not leaks(text, "What is the capital of Japan?", "Tokyo") for text in answers)
    assert len(set(answers)) > 40
