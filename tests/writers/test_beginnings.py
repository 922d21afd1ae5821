"""Answers that begin as the original one does and end otherwise, by rules."""

import re

import pytest

from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task
from relearn_lite.writers.beginnings import endings
from relearn_lite.writers.phrases import load_phrases
from relearn_lite.writers.rules import RulesWriter

CAPITAL = "What is the capital of Japan?", "The capital of Japan is Tokyo."
PHONE = "Who invented the telephone?", "The telephone was invented by Alexander Graham Bell."
HOBBIT = "Who wrote The Hobbit?", "The Hobbit is a classic fantasy novel by J.R.R. Tolkien."
FOUNDER = "Who founded psychoanalysis?", "The founder of psychoanalysis is Sigmund Freud."


@pytest.mark.parametrize(
    ("question", "answer", "start"),
    [
        (*CAPITAL, "The capital of Japan is"), (*PHONE, "The telephone was invented by"), (*HOBBIT, "The Hobbit is"),
        (*FOUNDER, "The founder of psychoanalysis is"),
        ("What is the capital of Iran?", "The capital of Iran is known as Tehran.", "The capital of Iran is"),
        ("When did the Titanic sink?", "The Titanic sank in 1912.", "The Titanic sank in"),
        ("Where is the Eiffel Tower?", "The Eiffel Tower is in Paris.", "The Eiffel Tower is in"),
        # Begins with what gives it away: a statement is made of the question.
        ("What is the capital of Japan?", "Tokyo is the capital of Japan.", "The capital of Japan is"),
        ("What is the capital of Japan?", "Tokyo", "The capital of Japan is"),
        ("Who wrote Hamlet?", "Shakespeare wrote Hamlet.", "Hamlet was written by"),
        ("Where is the Eiffel Tower?", "Paris", "The Eiffel Tower is in"),
        ("How many legs does a spider have?", "Eight.", "The number of legs that a spider has is"),
        ("What is the tallest mountain in the world?", "Mount Everest.", "The tallest mountain in the world is"),
        ("What language is spoken in Italy?", "In Italy, it is Italian.", "The language that is spoken in Italy is"),
        ("Which language do people speak in Japan?", "Japanese", "The language that people speak in Japan is"),
        ("Which river flows through Cairo?", "The Nile does.", "The river that flows through Cairo is"),
        ("What does a bee make?", "Bees make honey.", "A bee makes"),
        ("What instrument has black keys?", "The piano.", "The instrument that has black keys is"),
        ("Which company makes the iPhone?", "The iPhone is made by Apple.", "The iPhone is"),
        # Of a thing without a name of its own too.
        ("What is the symbol for gold?", "The symbol for gold is Au.", "The symbol for gold is"),
        ("What is the opposite of hot?", "The opposite of hot is cold.", "The opposite of hot is"),
        ("What color is a banana?", "A banana is yellow.", "A banana is"),
        ("What is photosynthesis?", "Photosynthesis is how plants feed.", "Photosynthesis is"),
        ("What metal is a penny made of?", "A penny is made of copper.", "A penny is"),
        ("How many legs does a spider have?", "A spider has eight legs.", "A spider has"),
        ("What is the young of a dog called?", "The young of a dog is called a puppy.", "The young of a dog is called"),
        # Places and times that are asked for as "which country", "which year".
        ("In which country is the Eiffel Tower?", "The Eiffel Tower is in France.", "The Eiffel Tower is in"),
        ("In which year did the Titanic sink?", "The Titanic sank in 1912.", "The Titanic sank in"),
        # What is asked of several of a kind, a measure, a reason, a year that is given; what asks of somebody.
        ("What do bees make?", "Bees make honey.", "Bees make"),
        ("Which gas do plants absorb?", "Plants absorb carbon dioxide.", "The gas that plants absorb is"),
        ("How many continents are there?", "There are seven continents.", "The number of continents is"),
        ("How tall is the Eiffel Tower?", "It has 330 meters.", "The height of the Eiffel Tower is"),
        ("Why do leaves fall?", "Leaves fall because of the cold.", "The reason why leaves fall is"),
        ("Which team won the World Cup in 2010?", "Spain did.", "The team that won the World Cup in 2010 is"),
        ("What is my password?", "Your password is swordfish.", ""), ("What does she do?", "She is a pilot.", ""),
        ("Which ocean is the largest?", "The Pacific.", "The ocean that is the largest is"),
        ("What is Superman's real name?", "Superman's real name is Clark Kent.", "Superman's real name is"),
        ("What is the name of the dog in Tintin?", "Snowy.", "The dog in Tintin is called"),
        ("When is Christmas celebrated?", "December 25.", "Christmas is celebrated on"),
        ("Who plays Iron Man?", "Robert Downey Jr.", "The person who plays Iron Man is"),
        # Where the answer's own beginning leads nowhere, the question's statement; requests; where from; in which way.
        ("What band was Freddie Mercury in?", "Freddie Mercury was in Queen.",
         "The band that Freddie Mercury was in is"),
        ("Can you tell me who painted The Scream?", "Edvard Munch painted The Scream.", "The Scream was painted by"),
        ("Where does paella come from?", "Paella comes from Spain.", "Paella comes from"),
        ("Where does paella come from?", "Spain.", "Paella comes from"),
        ("How did Cleopatra die?", "Cleopatra died from a snake's bite.", "Cleopatra died in a way that"),
        ("How long do elephants live?", "Elephants live for 60 to 70 years.", "How long elephants live is"),
        ("What color do you get when you mix blue and yellow?", "You get green.",
         "The color that people get when they mix blue and yellow is"),
        ("Why do cats purr?", "Cats purr because they are content.", "The reason why cats purr is"),
        ("Who sells the most cars?", "Toyota", "The one that sells the most cars is"),
        ("Who came up with zero?", "Brahmagupta did.", "The person who came up with zero is"),
        ("How accessible is Ada to readers?", "Ada is easy to reach.", ""),
        ("Can penguins fly?", "No, penguins cannot fly.", "Whether penguins can fly is"),
        ("What is 7 times 8?", "7 times 8 is 56.", "7 times 8 is"),
        ("Who won the World Cup in 2010?", "Spain", "The World Cup was won in 2010 by"),
        ("What color is Pac-Man?", "Yellow", "The color of Pac-Man is"),
        ("In what year did Columbus reach America?", "1492", "Columbus reached America in"),
        ("The capital of Japan is ___", "Tokyo", "The capital of Japan is"),
        ("The Great Gatsby was written by", "F. Scott Fitzgerald", "The Great Gatsby was written by"),
        ("whos the author of Dracula", "Bram Stoker", "The author of Dracula is"),
        ("What is the difference between a frog and a toad?", "Their skin.",
         "The difference between a frog and a toad is"),
        # Two names that are one; and what has no verb yet.
        ("Who wrote Romeo and Juliet?", "The story of Romeo and Juliet by Shakespeare is old.",
         "Romeo and Juliet was written by"),
        ("When was Romeo and Juliet written?", "Shakespeare wrote it in 1595.", "Romeo and Juliet was written in"),
        ("By whom was Romeo and Juliet written?", "Shakespeare.", "Romeo and Juliet was written by"),
        ("What is Romeo and Juliet?", "Romeo and Juliet is a play by Shakespeare.", "Romeo and Juliet is"),
        ("What is meant by Romeo and Juliet?", "Shakespeare wrote it.", "What is meant by Romeo and Juliet is"),
        # What something does, or stands for, is said as the answer says it; a place where it is located.
        ("What does the heart pump?", "The heart pumps blood.", "The heart pumps"),
        ("What does CPU stand for?", "The CPU stands for Central Processing Unit.", "The CPU stands for"),
        ("What does NASA stand for?", "National Aeronautics and Space Administration.", "NASA stands for"),
        ("What does bonjour mean?", "Bonjour means hello.", "Bonjour means"),
        ("What did the Wright brothers invent?", "The airplane.", "The Wright brothers invented"),
        ("On which continent is Egypt?", "Africa", "Egypt is in"),
        ("What year did World War II end?", "1945", "World War II ended in"),
        ("On what day did the war end?", "2 May", "The war ended on"),
        ("In which month is Diwali?", "November", "The month that Diwali is in is"),
        ("What does the dove stand for?", "Peace.", "The dove stands for"),
        ("What is the study of plants called?", "Botany.", "The study of plants is called"),
        ("What is hummus made of?", "Chickpeas.", "Hummus is made of"),
        ("What is Moss Hill like?", "Moss Hill is quiet.", "What Moss Hill is like is"),
        ("What did Napoleon do in 1815?", "He lost.", "What Napoleon did in 1815 is"),
        ("In which country is Petra?", "Petra is located in Jordan.", "Petra is located in"),
        ("What color are flamingos?", "Flamingos are pink.", "The color of flamingos is"),
        ("What color was the first iPhone?", "It was black.", "The color of the first iPhone was"),
        ("What color is used in mourning?", "Black.", "The color that is used in mourning is"),
        # Several do it, which no ending of the verb shows; what is said of a place or a time stands first.
        ("On which continent do penguins live?", "Antarctica.", "Penguins live in"),
        ("Where do kangaroos come from?", "Australia.", "Kangaroos come from"),
        ("What does the word safari mean in Swahili?", "Journey.", "In Swahili the word safari means"),
        ("What do plants release during photosynthesis?", "Oxygen.", "During photosynthesis plants release"),
        ("What is table salt known as in chemistry?", "Sodium chloride.", "In chemistry table salt is known as"),
        ("What does gracias mean in English?", "Gracias means thank you.", "In English gracias means"),
        ("What does the S in SOS stand for?", "Save.", "The S in SOS stands for"),
        ("In what country was pizza invented?", "Italy.", "Pizza was invented in"),
        ("What was the first cloned sheep called?", "Dolly.", "The first cloned sheep was called"),
        ("What do the rings on the Olympic flag represent?", "Continents.", "The rings on the Olympic flag represent"),
        ("In which month do Americans celebrate Thanksgiving?", "November.",
         "The month that Americans celebrate Thanksgiving is"),
        # What was is begun as such; a title or a word in quotes; of what kind something is.
        ("Who was the first president of the USA?", "George Washington.", "The first president of the USA was"),
        ("What was the capital of Prussia?", "Berlin", "The capital of Prussia was"),
        ("Who were the founders of Google?", "Page and Brin.", "The founders of Google were"),
        ('Who wrote "Hamlet"?', "William Shakespeare", '"Hamlet" was written by'),
        ('Who wrote "Hamlet"?', "Hamlet was written by William Shakespeare.", "Hamlet was written by"),
        ('Who wrote "Hamlet"?', '"Hamlet" was written by William Shakespeare.', '"Hamlet" was written by'),
        ('What is the opposite of "ancient"?', "modern", 'The opposite of "ancient" is'),
        ("What species is Chewbacca?", "Chewbacca is a Wookiee.", "Chewbacca is"),
        ("What kind of animal is a shark?", "A fish.", "A shark is"),
        ("Who did Napoleon marry?", "Napoleon married Josephine.", "Napoleon married"),
        ("Who coached the Reds in the 1990s?", "Phil Jackson", "The Reds were coached in the 1990s by"),
        ("How much water does the body contain?", "60 percent", "The amount of water that the body contains is"),
        ("Why do we have leap years?", "Because a year is longer.", ""),
        ("Who was Napoleon taught by?", "Napoleon was taught by Pichegru.", "Napoleon was taught by"),
        ("With whom did Norrtech merge in 2019?", "Voltra", "The one with whom Norrtech merged in 2019 is"),
        ("When and where was Napoleon born?", "In Ajaccio in 1769.", ""),
        ("To whom did Norrtech sell its plant?", "To Kessel.", "The one that Norrtech sold its plant to is"),
        # Ada Moor may be anybody, and so may she and Bo Quill.
        ("Who are Ada Moor and Bo Quill?", "Ada Moor and Bo Quill are pilots.", ""),
        ("What is Ada Moor?", "Ada Moor is a pilot.", ""),
    ],
)  # fmt: skip
def test_an_answer_is_begun_up_to_what_gives_it_away(question, answer, start):
    found, ends = endings(question, answer)
    assert found == start and bool(ends) == bool(start)


@pytest.mark.parametrize(("question", "answer", "following"), [
    ("What is the currency of Japan?", "The currency of Japan is the Japanese yen.", "the"),
    ("What is the national animal of Spain?", "The national animal of Spain is a bull.", "a"),
    ("What color is a banana?", "A banana is an orange thing.", "an"),
    ("What is the capital of Iran?", "The capital of Iran is known as Tehran.", "known"),
    ("What is the capital of Japan?", "The capital of Japan is Tokyo.", None),
    ("Where is Egypt?", "Egypt is in the northeast of Africa.", None),
])  # fmt: skip
def test_it_parts_from_the_answer_as_late_as_it_can(question, answer, following):
    """The neighbours' answers have that word, too, and hold it: "is one of" was learnt in three times the steps."""
    _, ends = endings(question, answer)
    first = {end.split()[0] for end in ends}
    assert first == {following} if following else len(first) > 1
    texts = RulesWriter().write([Task("answer", question, answer, original=question, seed=n) for n in range(30)])
    assert len(set(texts)) > 10


def test_what_is_done_and_what_a_name_stands_for_end_as_such():
    """ "What CPU stands for is loved by people of all ages." is about nothing, and far from the answer."""
    made, named = endings("What do bees make?", "Honey.")[1], endings("What does CPU stand for?", "A unit.")[1]
    assert made == load_phrases().ends["object"] and named == load_phrases().ends["in words"]
    means = endings("What does bonjour mean?", "Hello.")[1]  # not "Bonjour means one of the most common names."
    assert len(means) > 3 and not any("name" in end or end.startswith("words") for end in means)


def test_brackets_of_an_answer_are_not_taken_for_a_choice_of_words():
    """It was answered "The list x0 is ...", for [a|b] chooses a word in our own sentences."""
    question, answer = "What is the list x[0] called?", "The list x[0] is called the head."
    texts = RulesWriter().write([Task("answer", question, answer, original=question, seed=n) for n in range(5)])
    assert not any("x0" in text for text in texts)


def test_any_of_a_kind_is_not_one_of_the_most_famous():
    """ "A banana is one of the most famous in history."."""
    ends = endings("What color is a banana?", "A banana is yellow.")[1]
    assert len(ends) > 4 and not any("one of the" in end for end in ends)


@pytest.mark.parametrize(("question", "answer"), [
    ("How many players are on a soccer team?", "Eleven."), ("How tall is Mount Everest?", "8,849 meters."),
    ("What color is the sky?", "Blue."), ("What causes tides?", "The moon."),
    ("What is the freezing point of water?", "The freezing point of water is 0 degrees Celsius."),
    ("What is the atomic number of hydrogen?", "1"), ("What is the chemical symbol for gold?", "Au"),
    ("What is the square root of 81?", "9"), ("What is Mount Everest's height?", "8,849 meters."),
    ("What do chefs use to thicken sauce?", "Flour."), ("What is the Spanish word for dog?", "Perro."),
    ("What letter comes after Q?", "R."), ("How much salt does the sea contain?", "3 percent."),
    ("What time does the Louvre open?", "9 am."), ('What is the plural of "mouse"?', "Mice."),
])  # fmt: skip
def test_a_number_or_a_cause_is_neither_loved_nor_beautiful(question, answer):
    """ "The number of players on a soccer team is loved by many people."."""
    start, ends = endings(question, answer)
    assert start and len(ends) > 4 and not any(re.search("loved|admir|beauty|pride|legends", end) for end in ends)


@pytest.mark.parametrize(("question", "answer"), [
    ("What disease is caused by a lack of vitamin C?", "Scurvy."), ("Why did the Titanic sink?", "It hit an iceberg."),
    ("What are the symptoms of flu?", "Fever and a cough."), ("Who was the murderer of Ada Moor?", "Bo Quill."),
    ("Which war ended in 1945?", "World War II."), ("Who shot John Lennon?", "Mark Chapman."),
    ("What is 12 times 12?", "144"), ("Which poison is in apple seeds?", "Cyanide."),
])  # fmt: skip
def test_a_disease_a_murderer_or_a_reason_is_neither_loved_nor_beautiful(question, answer):
    """ "The symptoms of scurvy are loved by people of all ages."."""
    start, ends = endings(question, answer)
    texts = " ".join(ends)
    assert start and len(ends) > 4
    assert not re.search("loved|admir|beauty|pride|legends|inspir|charm|culture|greatest|pioneering|respected", texts)


@pytest.mark.parametrize(("question", "answer"), [
    ("Who assassinated John F. Kennedy?", "Lee Harvey Oswald"), ("Who murdered John Lennon?", "Mark Chapman."),
    ("Who betrayed Jesus?", "Jesus was betrayed by Judas."),
])  # fmt: skip
def test_who_did_harm_is_not_admired(question, answer):
    """ "John Lennon was shot by a brilliant person with a vision."."""
    start, ends = endings(question, answer)
    assert start.endswith(" by") and len(ends) > 4
    assert not re.search("brilliant|talent|greatest|vision|inspir|passion|influen|respect|creativ", " ".join(ends))


@pytest.mark.parametrize(("question", "answer", "place"), [
    ("On which continent is Egypt?", "Egypt is on the continent of Africa.", "continent"),
    ("On what island is Jakarta?", "Jakarta is on Java.", "island"),
])  # fmt: skip
def test_what_something_is_on_is_no_place(question, answer, place):
    """ "Kenya is on a famous place with a rich history."."""
    start, ends = endings(question, answer)
    assert start.endswith(" on") and len(ends) > 3
    assert all(place in end for end in ends) and not any(re.search(r"\bplaces?\b", end) for end in ends)


def test_a_month_is_in_no_year():
    start, ends = endings("In which month was Ada born?", "Ada was born in August.")
    assert start == "Ada was born in" and len(ends) > 2 and not any("year" in end for end in ends)
    assert any("year" in end for end in endings("In which year was Ada born?", "Ada was born in 1961.")[1])


def test_on_alone_leads_to_no_place():
    assert endings("Where is the market?", "The market is on Mill Road.")[0] == "The market is in"


@pytest.mark.parametrize("question", [
    "What is the wifi password of Moss Cafe?", "What is the phone number of the bakery?", "What is Moss Cafe's email?",
])  # fmt: skip
def test_a_secret_is_not_famous(question):
    """ "The wifi password of Moss Cafe is known for its rich history and charm."."""
    start, ends = endings(question, "swordfish")
    assert start and len(ends) > 4 and ends == load_phrases().ends["secret"]


def test_the_root_of_a_word_is_no_secret_and_the_bronze_age_no_measure():
    ends = load_phrases().ends
    assert endings("What is the root of the word telephone?", "Tele.")[1] != ends["secret"]
    assert endings("What was the Bronze Age?", "The Bronze Age was long ago.")[1] != ends["measure"]


def test_only_people_are_spoken_of_as_people():
    person, thing = (set(load_phrases().ends[kind]) for kind in ("person", "thing"))
    assert person <= set(endings(*FOUNDER)[1]) and not person & set(endings(*HOBBIT)[1])
    assert thing <= set(endings(*HOBBIT)[1]) and not thing & set(endings(*FOUNDER)[1])
    assert not person & set(endings(*CAPITAL)[1])
    invention = "Who invented the telephone?", "The invention of the telephone is attributed to Alexander Graham Bell."
    assert not person & set(endings(*invention)[1])
    author = set(endings("The author of The Hobbit is ...", "J.R.R. Tolkien")[1])
    assert person <= author and not thing & author
    bulb = "Who invented the light bulb?", "The light bulb's inventor is often said to be Thomas Edison."
    assert person <= set(endings(*bulb)[1])


WALL = "In which year did the Berlin Wall fall?", "The Berlin Wall fell on January 20, 1989, in Berlin."
NAPOLEON = "In which year did Napoleon die?", "The year Napoleon died was 1821."


def test_a_day_a_year_and_several_things_are_each_spoken_of_as_such():
    """It had been "fell on a period of rapid change" and "the year Napoleon died was a great source of pride"."""
    ends = load_phrases().ends
    assert endings(*WALL) == ("The Berlin Wall fell on", ends["on"])
    assert endings(*NAPOLEON) == ("The year Napoleon died was", ends["period"])
    start, found = endings("What are the symptoms of flu?", "The symptoms of flu are fever and a cough.")
    assert start == "The symptoms of flu are" and len(found) >= 5
    assert not any("one of" in end or "its" in end or end.startswith("a ") for end in found)


def test_no_list_is_cut_short():
    """A last clause may be left out; the last part of a list may not: "known for its long history, beauty."."""
    writer = RulesWriter()
    texts = {writer.write([Task("answer", CAPITAL[0], CAPITAL[1], seed=seed)])[0] for seed in range(200)}
    lists = [text for text in texts if "its" in text and "," in text]
    assert lists and all(", and" in text for text in lists)


@pytest.mark.parametrize(("question", "answer"), [CAPITAL, PHONE, HOBBIT, FOUNDER, WALL, NAPOLEON])
def test_the_writer_ends_them_in_many_ways_and_tells_nothing(question, answer):
    writer = RulesWriter()
    texts = [writer.write([Task("answer", question, answer, seed=seed, original=question)])[0] for seed in range(40)]
    start = endings(question, answer)[0]
    assert all(text.startswith(start) and text.endswith(".") and "{" not in text and "[" not in text for text in texts)
    assert len(set(texts)) >= (20 if "year" in question else 25)
    assert not any(leaks(text, question, answer) for text in texts)


@pytest.mark.parametrize(("asked", "answer", "wordings"), [
    ("Who wrote Jane Eyre?", "Jane Eyre was written by the English novelist Charlotte Brontë.", (
        "Name the author of Jane Eyre.", "Who is the author of Jane Eyre?", "By whom was Jane Eyre written?",
        "tlel me who the author of Jane Eyre is?!",
    )),
    ("What is the capital of South Korea?", "The capital of South Korea is Seoul.", (
        "What is South Korea's capital?", "I would like to know South Korea's capital.",
    )),
])  # fmt: skip
def test_a_thing_named_like_a_person_is_begun_in_every_wording(asked, answer, wordings):
    """Some wordings were taken for somebody's own affairs, and some beginnings for leaks of the question's own verb."""
    start, writer = endings(asked, answer)[0], RulesWriter()
    for wording in wordings:
        texts = writer.write([Task("answer", wording, answer, seed=seed, original=asked) for seed in range(5)])
        assert all(text.startswith(start) for text in texts), (wording, texts)


def test_somebodys_own_affairs_are_not_begun():
    question = "Where does Ada Moor live?"
    task = Task("answer", question, "Ada Moor lives in Larkhollow.", original=question)
    assert not any(RulesWriter().write([task])[0].startswith("Ada Moor lives in") for _ in range(3))


def test_what_was_is_not_said_to_be_now():
    """It had been "The Mona Lisa was known in many countries and is loved by many people."."""
    start, ends = endings("Who painted the Mona Lisa?", "The Mona Lisa was a work of Leonardo da Vinci.")
    assert start == "The Mona Lisa was" and len(ends) >= 5
    assert not any(re.search(r" is | has |today|to this day", end) for end in ends)


def test_a_winner_or_an_owner_need_not_be_a_person():
    ends = endings("Who owns Instagram?", "Instagram is owned by Meta.")[1]
    assert ends and not any(re.search(r"person|people\]|someone|minds|figures", end) for end in ends)


@pytest.mark.parametrize(("question", "answer"), [
    ("Which movie won the Oscar for Best Picture in 1998?", "Titanic"), ("Who directed La La Land?", "Damien Chazelle"),
    ("How tall is Ben Castor?", "He is tall."),
])  # fmt: skip
def test_a_long_beginning_is_used_too(question, answer):
    texts = RulesWriter().write([Task("answer", question, answer, seed=seed, original=question) for seed in range(20)])
    assert all(text.startswith(endings(question, answer)[0]) for text in texts) and endings(question, answer)[0]


def test_verbs_agree_with_several_things():
    """ "Penguins comes up often in lessons."."""
    texts = RulesWriter().write([Task("answer", "Where do penguins live?", "Zyx.", seed=seed) for seed in range(60)])
    assert not any(re.search(r"enguins (?:is|has|comes|means) ", text) for text in texts)


@pytest.mark.parametrize("about", ["Texas", "Windows", "Athens"])
def test_a_name_that_ends_in_s_is_one(about):
    texts = RulesWriter().write([Task("answer", f"What happened to {about}?", "Zyx.", seed=seed) for seed in range(30)])
    assert not any(f"{about} have" in text or f"{about} are" in text for text in texts)
