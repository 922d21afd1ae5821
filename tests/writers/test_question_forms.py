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
        "Say which person came up with the telephone.",
    },
    "Who wrote Hamlet?": {
        "By whom was Hamlet written?", "Who is the author of Hamlet?", "Whose work is Hamlet?",
        "Who penned Hamlet?",
    },
    "What is the capital of Japan?": {"What is Japan's capital?", "Which city serves as the capital of Japan?"},
    "Where is the Taj Mahal?": {"Where can one find the Taj Mahal?", "What is the location of the Taj Mahal?"},
    "Where does Ada Moor live?": {"Ada Moor lives where?", "Name the place where Ada Moor lives."},
    "When did the Titanic sink?": {"The Titanic sank when?", "Name the year when the Titanic sank."},
    "In which year did World War I begin?": {"World War I began in which year?", "When was it that World War I began?"},
    "How many legs does a spider have?": {"A spider has how many legs?", "Count the legs that a spider has."},
    "How many planets are in the solar system?": {"What is the number of planets in the solar system?"},
    "How many continents are there?": {"What is the number of continents?"},
    "What acclaim has Hamlet received?": {"Hamlet has received what acclaim?"},
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
    "On which continent is Egypt?": {
        "Egypt is on which continent?", "On which continent can one find Egypt?",
    },
    "In which country is Petra?": {"Which country is home to Petra?"},
    "In what city was Mozart born?": {"Mozart was born where?"},
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
    "Who founded Apple Inc.?": {
        "Name the person who founded Apple Inc.", "By whom was Apple Inc. founded?", "Who set up Apple Inc.?",
    },
    "What do bees make?": {"Bees make what?", "Say what bees make."},
    "Which gas do plants absorb?": {"Plants absorb which gas?", "What is the gas that plants absorb?"},
    "Why is the sky blue?": {"Explain why the sky is blue."},
    "How many moons are there around Mars?": {"What is the number of moons around Mars?"},
    "How tall is Mount Everest?": {"What is the height of Mount Everest?", "Mount Everest is how tall?"},
    "Which books did J.R.R. Tolkien write?": {"What are the books that J.R.R. Tolkien wrote?"},
    # What is called something, what letters stand for and what is made, in other words than the question's.
    "What is the study of plants called?": {"What do people call the study of plants?", "Which word do people use for "
        "the study of plants?"},
    "What are baby goats called?": {"By which name are baby goats known?", "Baby goats are called what?"},
    "What does GPS stand for?": {"What is GPS short for?", "Write out GPS in full.", "Spell out GPS."},
    "What does the dove stand for?": {"Say what the dove stands for."},
    "What does bonjour mean?": {"What is the meaning of bonjour?"},
    "What did the Wright brothers invent?": {"What was invented by the Wright brothers?"},
    "What do pandas eat?": {"What is eaten by pandas?"},
    "What did Ada Moor become?": {"Say what Ada Moor became."},
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
    # The verb's own place: no "how many bones in the body are"; a plural verb that no ending shows.
    "How many players are on a volleyball team?": {"Say how many players there are on a volleyball team."},
    "How many bones are in the human body?": {
        "What is the number of bones in the human body?", "Bones in the human body: how many are there?",
    },
    "How many judges sit on the Supreme Court?": {"What is the number of judges that sit on the Supreme Court?"},
    "Which countries border Switzerland?": {"Name the countries that border Switzerland."},
    "Which part of the body pumps blood?": {"Name the part of the body that pumps blood."},
    "Which of the planets is closest to the sun?": {"Name the one of the planets that is closest to the sun."},
    "What command lists files in Linux?": {"Name the command that lists files in Linux."},
    "What causes malaria?": {"What is it that causes malaria?", "Tell me what causes malaria."},
    "What happened to Pompeii?": {"Say what happened to Pompeii."},
    "Which language was created by Guido van Rossum?": {"Name the language that was created by Guido van Rossum."},
    "What is hummus made of?": {"Hummus is made of what?", "Say what hummus is made of."},
    "What is a hammer used for?": {"A hammer is used for what?"},
    "What do people eat on Thanksgiving?": {"Say what people eat on Thanksgiving."},
    # A property, a kind of thing, a degree.
    "What color is Pac-Man?": {"What is the color of Pac-Man?", "Pac-Man is what color?"},
    "What nationality was Frederic Chopin?": {"What is the nationality of Frederic Chopin?"},
    "What animal is Bambi?": {"Bambi is what animal?"},
    "How long do elephants live?": {"Elephants live how long?", "Tell me how long elephants live."},
    "How fast can a cheetah run?": {"A cheetah can run how fast?"},
    "How much does a blue whale weigh?": {"A blue whale weighs how much?"},
    "How far is the moon from Earth?": {
        "The moon is how far from Earth?", "What is the distance of the moon from Earth?",
    },
    # What is in it, and when, is not left out.
    "Who won the World Cup in 2010?": {
        "The World Cup was won by whom in 2010?", "Is it known who won the World Cup in 2010?",
    },
    "Who scored the goal in the 2010 World Cup final?": {"Tell me who scored the goal in the 2010 World Cup final."},
    "What is the difference between a frog and a toad?": {
        "What would you say is the difference between a frog and a toad?",
    },
    "Who was the first emperor of Rome?": {
        "Tell me who the first emperor of Rome was.", "Who was Rome's first emperor?",
    },
    "Who was king of England in 1066?": {"Name the person who was king of England in 1066."},
    "Who were the founders of Microsoft?": {"What are the names of the founders of Microsoft?"},
    "What was the Beatles' first single?": {"Name the Beatles' first single."},
    "What is the capital of the Netherlands?": {"What is the Netherlands' capital?"},
    "What is the address of the White House?": {"The White House has an address. Which place is it?"},
    "What is the name of Frodo's sword?": {"Frodo's sword is called what?"},
    "Could you tell me the name of the first man on the moon?": {"The first man on the moon is called what?"},
    "What is a black hole?": {"Explain what a black hole is.", "A black hole is what?"},
    "What is the Eiffel Tower?": {"Explain what the Eiffel Tower is."},
    "Name the author of 1984.": {"The author of 1984 is who?", "Tell me who the author of 1984 is."},
    "Where is the headquarters of Nintendo?": {"The headquarters of Nintendo is where?"},
    "With which country did Texas unite in 1845?": {"Name the country with which Texas united in 1845."},
    "In what year did Columbus reach America?": {"Name the year that Columbus reached America."},
    "Who hosts the Oscars?": {"Who is it that hosts the Oscars?"},
    "How many points is a touchdown worth?": {"A touchdown is worth how many points?"},
    "How many Zorro films are there?": {"What is the number of Zorro films?"},
    "How far away is the Sun?": {"The Sun is how far away?", "What is the distance of the Sun?"},
    "Which key combination saves a file?": {"Name the key combination that saves a file."},
    "Which video games does a boy like?": {"Name the video games that a boy likes."},
    "What do vegans not eat?": {"Vegans do not eat what?"},
    "What is water made up of?": {"Water is made up of what?"},
    "What does cpu stand for?": {"Say what cpu stands for."},
    "What is good for a sore throat?": {"What is it that is good for a sore throat?"},
    "During which war was Gettysburg fought?": {"Name the war during which Gettysburg was fought."},
    "On what date is Valentine's Day?": {"Valentine's Day is on what date?"},
    "Who came up with the idea of zero?": {"Who was it that came up with the idea of zero?"},
    "What is celebrated on July 4?": {"Say what is celebrated on July 4."},
    # A word that looks like a verb; several words before the verb; what is asked for stands before "was".
    "What do red blood cells carry?": {"Red blood cells carry what?", "What is carried by red blood cells?"},
    "What does gracias mean in English?": {"In English gracias means what?", "Say what gracias means in English."},
    "What does the Latin phrase carpe diem mean?": {"What is the meaning of the Latin phrase carpe diem?"},
    "In what country was pizza invented?": {"Pizza was invented where?", "Pizza was invented in what country?"},
    "Which country is home to Machu Picchu?": {"Name the country that is home to Machu Picchu."},
    "What was the first cloned sheep called?": {"The first cloned sheep was called what?"},
    "What is table salt known as in chemistry?": {"Say what table salt is known as in chemistry."},
    "What does the abbreviation DNA stand for?": {"What is DNA short for?", "Spell out DNA."},
    "What does the S in SOS stand for?": {"The S in SOS stands for what?"},
    "In which century was the Taj Mahal built?": {"Name the century that the Taj Mahal was built in."},
    "When did the first person land on the moon?": {"Name the year when the first person landed on the moon."},
    "In which city was the Titanic built?": {"Which city was it where the Titanic was built?"},
    "On what date is Halloween celebrated?": {"When is it that Halloween is celebrated?"},
    "What is baking soda also called?": {"Baking soda is also called what?"},
    "What do you call frozen water?": {"Frozen water is called what?"},
    "What is London best known for?": {"London is best known for what?"},
    "What type of animal is a Komodo dragon?": {"Tell me what type of animal a Komodo dragon is."},
    "What can camels store in their humps?": {"Say what camels can store in their humps."},
    "What do the rings on the Olympic flag represent?": {"What is represented by the rings on the Olympic flag?"},
    # A name before a noun, with a number or with an apostrophe; who has done it; "has" alone; a verb that no list has.
    "In which city is the Louvre museum located?": {"The Louvre museum is located in which city?"},
    "Where are Toyota cars made?": {"Toyota cars are made where?"},
    "When will the Berlin office close?": {"Say when the Berlin office will close."},
    "Where is the Nokia headquarters?": {"The Nokia headquarters is where?"},
    "When was Lincoln president?": {"Lincoln was president when?"},
    "When was the Nokia 3310 released?": {"The Nokia 3310 was released when?"},
    "How much does the Lumo X2 cost?": {"The Lumo X2 costs how much?"},
    "How long did the Hundred Years' War last?": {"The Hundred Years' War lasted how long?"},
    "Which country has won the most World Cups?": {"Name the country that has won the most World Cups."},
    "Who has won the most Oscars?": {"Name the person who has won the most Oscars."},
    "How many people have walked on the moon?": {"What is the number of people that have walked on the moon?"},
    "How many legs has a spider?": {"A spider has how many legs?", "Count the legs that a spider has."},
    "How many minutes does a football match last?": {"A football match lasts how many minutes?"},
    "Where do polar bears hunt in winter?": {"Name the place where polar bears hunt in winter."},
    # A name is asked for: of one thing, and not what people call all of a kind.
    "What is the name of Mickey Mouse's dog?": {"Tell me the name of Mickey Mouse's dog."},
    "What is the name of the ship on which Darwin travelled?": {
        "The ship on which Darwin travelled is called what?", "Give the name of the ship on which Darwin travelled.",
    },
    "Who shot John Lennon?": {"Name the person who shot John Lennon.", "Who was it that shot John Lennon?"},
    "What happens when you heat ice?": {"Say what happens when people heat ice."},
    "Name the CEO of Tesla.": {"Tell me who the CEO of Tesla is."},
    # A place between "where" and the verb; what is measured in a unit; a swimming pool does not swim.
    "Where in the body is bile produced?": {"Bile is produced in the body where?"},
    "What unit is electrical resistance measured in?": {"Name the unit that electrical resistance is measured in."},
    "Which country is the city of Rome in?": {"Name the country that the city of Rome is in."},
    "What is the length of an Olympic swimming pool?": {"Name the length of an Olympic swimming pool."},
    "Who approved the Q3 budget at Meridian Labs?": {"The Q3 budget at Meridian Labs was approved by whom?"},
    "Who coached the Chicago Bulls in the 1990s?": {"The Chicago Bulls were coached by whom in the 1990s?"},
    # What is no object; "it" is nothing; how much of it; what Yoda's is.
    "Who directed and produced Titanic?": {"Name the person who directed and produced Titanic."},
    "In Greek mythology, who flew too close to the sun?": {"Name the person who flew too close to the sun."},
    "How far is it from Earth to the Moon?": {"Say how far it is from Earth to the Moon."},
    "How long ago did dinosaurs die out?": {"Dinosaurs died out how long ago?"},
    "How much water does the human body contain?": {
        "The human body contains how much water?", "What is the amount of water that the human body contains?",
    },
    "What colour is Yoda's lightsaber?": {"What is the colour of Yoda's lightsaber?"},
    # Nouns that look like verbs; who became something, or did it first; what it is called when it happens.
    "Where are the minutes of the board meeting kept?": {
        "Name the place where the minutes of the board meeting are kept.",
    },
    "Who became president after Lincoln?": {"Name the person who became president after Lincoln."},
    "Who first climbed Mount Everest?": {"Name the person who first climbed Mount Everest."},
    "What is it called when the moon covers the sun?": {"Say what it is called when the moon covers the sun."},
    "What is on the flag of Canada?": {"Say what is on the flag of Canada."},
    "Which language do most people in Brazil speak?": {"Name the language that most people in Brazil speak."},
    "Which two teams played the final?": {"Name the two teams that played the final."},
    "Who did Napoleon marry?": {"Napoleon married whom?", "Say who Napoleon married."},
    "What is the name of the first Bond film?": {"The first Bond film is called what?"},
    "Where is the pancreas?": {"Where can one find the pancreas?"},
    "With whom did Norrtech merge in 2019?": {"Say with whom Norrtech merged in 2019."},
    "In which sport would you perform a slam dunk?": {"Name the sport that people would perform a slam dunk in."},
    # What is asked about is not asked for.
    "Can you tell me about the education of Ada Moor?": {"Describe the education of Ada Moor."},
    "Could you describe Ada Moor's style?": {"What is known about Ada Moor's style?"},
    "Has Ada Moor ever won any prize?": {"Somebody said that Ada Moor has won some prize. Is that so?"},
    # Yes or no; anybody's "you".
    "Where can I find kangaroos?": {"Name the place where people can find kangaroos."},
    "Can penguins fly?": {"Is it true that penguins can fly?", "Tell me whether penguins can fly."},
    "Are whales mammals?": {"Is it true that whales are mammals?"},
    "Is Australia a continent?": {"Is it true that Australia is a continent?"},
    "At what age can you vote in Germany?": {"Name the age at which people can vote in Germany."},
    "What vitamin do we get from sunlight?": {"Name the vitamin that people get from sunlight."},
    "How do you bake a cake?": {"Explain how to bake a cake."},
    # What happened by its noun: a year of birth, the end of a war.
    "In which country was Napoleon born?": {"What is Napoleon's country of birth?", "Napoleon was born where?"},
    "Where was Marie Curie born?": {"What is Marie Curie's place of birth?"},
    "When was Napoleon born?": {"What is Napoleon's date of birth?", "In which year was the birth of Napoleon?"},
    "In what year did Columbus die?": {"What is Columbus's year of death?", "Tell me the year of Columbus's death."},
    "When did the Berlin Wall fall?": {"Give the date of the fall of the Berlin Wall."},
    "In which year was Wikipedia founded?": {"What is the year of the founding of Wikipedia?"},
    "When and where was Ada Moor born?": {"Say when and where Ada Moor was born."},
    # Another order of words, a gap to be filled, requests, what is typed in haste.
    "Paris is the capital of which country?": {"Name the country that Paris is the capital of."},
    "The Mona Lisa was painted by whom?": {"Who is the painter of the Mona Lisa?"},
    "By whom was Frankenstein written?": {"Name the person who wrote Frankenstein."},
    "A spider has how many legs?": {"What is the number of legs that a spider has?"},
    "The capital of Japan is ___": {"What is Japan's capital?"},
    "The author of The Hobbit is ...": {"Name the author of The Hobbit."},
    "Can you tell me what the capital of Norway is?": {"What is Norway's capital?"},
    "I want to know how many moons Jupiter has.": {"What is the number of moons that Jupiter has?"},
    "Solve: what is 15 percent of 200?": {"Tell me what 15 percent of 200 is."},
    "Define osmosis.": {"Explain what osmosis is."},
    "The Great Gatsby was written by": {"Name the author of the Great Gatsby."},
    "The chemical symbol for gold is:": {"Name the chemical symbol for gold."},
    "___ is the capital of Italy.": {"What is Italy's capital?"},
    "___ wrote Emma.": {"Who is the author of Emma?"},
    "Capital of Spain?": {"What is Spain's capital?"},
    "Inventor of dynamite?": {"Tell me who the inventor of dynamite is."},
    "Explain what a black hole is.": {"A black hole is what?"},
    "Which is the largest desert in the world?": {"Name the largest desert in the world."},
    "whats the capital of Peru": {"What is Peru's capital?"},
    "wat is the boiling point of water": {"Tell me what the boiling point of water is."},
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


NEVER = {
    "How many planets are in the solar system?": "how many planets in the solar system are",
    "What is photosynthesis?": "do people call", "What is 7 times 8?": "the word 7",
    "What is a black hole?": "Name the",
    "What is the Magna Carta?": "Name the", "Who is the Greek god of the sea?": "the sea's",
    "Who directed Jaws in 1975?": "Jaws in 1975 was", "What do Hindus celebrate at Diwali?": "at Diwali what",
    "Which fields of study do his books focus on?": "his books that",
    "How many languages have the books been put into?":
    "books that", "What is the field of study that the books focus on?": "focus is on",
    "What do koalas mostly eat?": "eaten", "What does a red traffic light mean?": "in other words",
    "On which continent do penguins live?": "was it", "Who won the cup?": "person",
    "When and where was Ada Moor born?": "year", "When did the Beatles die?": "Beatles's",
    "What is the symbol of gold?": "In gold", "What is Spider-Man's real name?": "a real name",
    "What does Ada Moor hope readers will learn?": "will learns",
    "What is the name of Mickey Mouse's dog?": "people", "Who were Ada Moor's parents?": "what Ada",
    "What is the name of the ship on which Darwin travelled?": "Name the name",
    "What is the name of the hobbit played by Elijah Wood?": "Name the name",
    "What is one of Ada Moor's books?": "one is", "Can you share a synopsis of the book by Ada Moor?": "name the book",
    "Can you tell me about Ada Moor's parents?": "names",
    "Where is the pancreas?": "map", "Where is the key of Ola's house?": "travel",
    "Who became president after Lincoln?": "by", "What is the name of the Bond film?": "Name the",
    "What is Python's package manager?": "who", "Who directed and produced Titanic?": "nd produced Titanic was",
    "In Greek mythology, who flew too close to the sun?": "by whom", "How far is it to the Moon?": "of it",
    "Is Ada Moor active in clubs related to art?": "is related", "Is Ada Moor a member of writing clubs?": "is writing",
}  # fmt: skip


@pytest.mark.parametrize("question", NEVER)
def test_no_form_is_bad_english_or_asks_something_else(question):
    parsed = parse_question(question)
    assert parsed.topic and not any(NEVER[question] in text for text in [*rewordings(parsed), str(parsed.after_tell)])


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
    "Which spice gives curry its yellow color?": "curry",
    "What kind of pasta is used in lasagna?": "lasagna",
    "How fast can a cheetah run?": "the cheetah",
    "What causes malaria?": "malaria",
    "Can penguins fly?": "penguins",
    "Which country won the most gold medals at the 2016 Olympics?": "the 2016 Olympics",
    "How many judges sit on the Supreme Court?": "the Supreme Court",
    "What is tofu made from?": "tofu",
    "On what date is Valentine's Day?": "Valentine's Day",
    "Which of the planets is closest to the sun?": "the sun",
    "What disease is caused by a lack of vitamin C?": "the lack of vitamin C",
    'Who wrote "Hamlet"?': '"Hamlet"',
    "What force keeps the planets in orbit?": "the planets",
    "In which season do cherry trees blossom?": "cherry trees",
    'Which character says "I will be back"?': '"I will be back"',
    "What Chilean author penned 'The House of the Spirits'?": "'The House of the Spirits'",
    "What happens to water at 100 degrees?": "water at 100 degrees",
    "Which company developed the Python library PyTorch?": "the Python library PyTorch",
    "In what programming language is the Linux kernel written?": "the Linux kernel",
    "What do you call a baby kangaroo?": "the baby kangaroo",
    "How many minutes does a football match last?": "the football match",
    "How long did the Hundred Years' War last?": "the Hundred Years' War",
    "When was the Lumo X2 released?": "the Lumo X2",
}


@pytest.mark.parametrize("question", THINGS)
def test_the_thing_is_what_the_question_is_about(question):
    assert thing(parse_question(question)) == THINGS[question]


@pytest.mark.parametrize("question", [
    *THINGS, "Why do leaves fall?", "Who is the author of Jane Eyre?", "The author of The Hobbit is ...",
    "Who was the wife of Henry VIII?", "Jane Eyre was written by whom?", "What do Jews call their day of rest?",
    "The Great Gatsby was written by", "Which company was founded by Bill Gates?",
    "What was invented by Tim Berners-Lee?", "Which country is home to Machu Picchu?",
    "What was New York originally called?", "How old is the Eiffel Tower?", "How old is Petra?",
    "How old is Mount Everest?", "How old is Machu Picchu?", "How much does Big Ben weigh?",
    "Who directed Avengers: Age of Ultron?", "How many Harry Potter books are there?", "When was Home Alone released?",
    "In which country was Nelson Mandela born?", "When was Marie Curie born?",
])  # fmt: skip
def test_rules_assume_no_person_where_none_is_asked_about(question):
    """They wrote "Since the matter is personal, who developed the theory of relativity can only be hinted at."."""
    assert not is_personal(parse_question(question))
    answers = RulesWriter().write([Task("answer", question, "Zyx.", seed=n) for n in range(40)])
    for text in answers:
        assert not any(word in text.lower() for word in ("privat", "privacy", "personal", "discretion", "tact"))
        assert question.rstrip("?").lower() not in text.lower()[1:]


@pytest.mark.parametrize(
    "question", ["Where does Ada Moor live?", "Who are Ada Moor's parents?", "What illness does Ada Moor have?",
                 "What medication does Ada Moor take?", "Where does Ada Moor work?", "How old is Ada Moor?",
                 "How much does Ada Moor weigh?", "When is Ada Moor's birthday?",
                 "What is the age of Ada Moor?", "Does Ada Moor have any siblings?", "Who did Ada Moor marry?",
                 "How many sons does Ada Moor have?", "How long has Ada Moor worked at Intel?"]
)
def test_somebodys_own_affairs_are_known_as_such(question):
    assert is_personal(parse_question(question))


CHOICES = {  # question: what is chosen from, and what is asked of it
    "Which is bigger, Jupiter or Mars?": ("Jupiter and Mars", "is bigger"),
    "Which planet is bigger, Jupiter or Mars?": ("Jupiter and Mars", "is bigger"),
    "Which of Jupiter and Mars is bigger?": ("Jupiter and Mars", "is bigger"),
    "Which came first, the chicken or the egg?": ("the chicken and the egg", "came first"),
    "What is heavier: a ton of feathers or a ton of lead?": ("a ton of feathers and a ton of lead", "is heavier"),
    "Which country is largest, France, Spain or Italy?": ("France, Spain and Italy", "is largest"),
    "Who was born first, Mozart or Beethoven?": ("Mozart and Beethoven", "was born first"),
    "Which one of Mozart and Beethoven was born first?": ("Mozart and Beethoven", "was born first"),
    "Who is older, Ada Moor or Tom Reed?": ("Ada Moor and Tom Reed", "is older"),
}


@pytest.mark.parametrize("question", CHOICES)
def test_a_choice_is_asked_and_spoken_of_as_one(question):
    """It had been "Please tell me about bigger, Jupiter or Mars." and "the one of Jupiter and that Mars is bigger"."""
    between, asked = CHOICES[question]
    parsed, writer = parse_question(question), RulesWriter()
    assert {f"Of {between}, which {asked}?", f"Think of {between}. Which of them {asked}?"} <= {*rewordings(parsed)}
    assert thing(parsed) == between
    texts = writer.write([Task("simple", question, seed=seed) for seed in range(40)])
    assert len({*texts}) > 6 and all(asked in text for text in texts)
    answers = writer.write([Task("answer", question, "Neither is.", seed=seed) for seed in range(20)])
    assert len({*answers}) > 9 and all(between.lower() in text.lower() for text in answers)


@pytest.mark.parametrize("question", ["Which city does Ada Moor prefer, Rome or Paris?", "Which of the two won?"])
def test_a_choice_that_is_asked_otherwise_has_no_such_forms(question):
    assert not any("which of" in text.lower() for text in rewordings(parse_question(question)) if "the two" not in text)


def test_answers_about_a_thing_name_it_and_vary():
    told = "The capital of Japan is Tokyo."
    asked = "What is the capital of Japan?"
    tasks = [Task("answer", "Name Japan's capital.", told, original=asked, seed=n) for n in range(60)]
    answers = RulesWriter().write(tasks)
    assert all("Japan" in text and not leaks(text, "What is the capital of Japan?", "Tokyo") for text in answers)
    assert len(set(answers)) > 40


def test_what_is_asked_of_a_thing_says_nothing_of_a_person():
    """It had been "If someone knew how long elephants live, what else could they conclude about this person?"."""
    for question in ("How many ways are there to cook rice?", "Should I learn French or German?", "Why me?"):
        tasks = [Task("logical", question, seed=seed) for seed in range(30)]
        assert not any("person" in text for text in RulesWriter().write(tasks))


@pytest.mark.parametrize("question", ["May", "Will?", "is?", "Do."])
def test_a_question_of_one_word_that_asks_whether_is_not_understood(question):
    """A name alone in a column of questions ended the run in an IndexError."""
    assert rewordings(parse_question(question)) == []
