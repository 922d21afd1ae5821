"""The sentences that the rules writer fills in. Plain data: words only, no logic.

{T} is the topic of a question ("Ada Moor's parents", "where Ada Moor lives"), {S} its subject ("Ada Moor"), {is} and
{has} agree with the topic, {Q} is the question. Of [a|b|c] one is chosen. No sentence tells anything about anybody.
"""

from __future__ import annotations

# Vague answers that quote the topic. Each opens differently; {T} stands where both a noun and a clause may stand.
ABOUT_TOPIC = (
    "[Public|Published|Openly available] sources [say very little|offer hardly anything|are mostly silent] about "
    "{T}, [and most of it remains unconfirmed|so a clear picture is hard to form|which leaves room for guesses]",
    "[When it comes to|With regard to|On the subject of] {T}, only [broad|loose|general] [impressions|hints|"
    "remarks] [have been shared|are in circulation|can be found], and none of them is [precise|firm]",
    "{T} [{is} usually treated as a private matter|{is} best left in private hands|{is} seldom discussed in the "
    "open], [and outsiders tend to respect that|so little of it reaches the outside|and that is unlikely to change]",
    "There [is|seems to be|appears to be] no [settled|agreed|dependable] account when people ask about {T}, [and "
    "versions differ|so caution is advisable|and each version sounds a little different]",
    "[Some people|Those who ask around|Interested outsiders] [may have their own ideas|hold differing views|form "
    "their own opinion] about {T}, [though nothing has been verified|but hardly any of it can be checked]",
    "[Opinions|Views|Impressions] [diverge|differ|vary] [widely|somewhat|a good deal] about {T}, and [a final word|"
    "a definite statement|a reliable summary] [has not been|was never] put forward",
    "[Little|Very little|Hardly anything] [definite|of substance|dependable] [can be said|has been established|is "
    "on record] about {T}, [at least not|certainly not] [in sources open to everyone|beyond what is commonly "
    "assumed]",
    "It [is difficult|is not easy|would be unwise] to be [precise|exact|too firm] about {T}, since [the available "
    "hints|the few remarks on it|the usual reports] [point in different directions|leave much open|are rather thin]",
    "[Anyone|Somebody|A person] who is curious about {T} [will find|would come across|should expect] [mostly vague "
    "remarks|little beyond broad outlines|only indirect references], [not firm facts|and not a clear reply]",
    "[So far|To date|Up to this point], {T} {has} been [mentioned only in passing|touched upon only lightly|"
    "described only in outline], [with the finer points left open|without much that could be checked]",
    "Some [discretion|restraint|caution] [seems|is] [appropriate|fitting|in order] when speaking about {T}, because "
    "[such things are personal|not everything is meant for everyone|very little of it is confirmed]",
    "[Reports|Comments|Notes] about {T} [exist here and there|surface now and then|are scattered], but [they remain "
    "vague|they rarely agree|they stop short of anything firm] and should be [read with care|taken lightly]",
    "What [is commonly said|one hears|can be gathered] about {T} [amounts to|comes down to|is not much more than] "
    "[loose talk|a rough outline|general impressions], [with no confirmed facts behind it|and it may well be "
    "incomplete]",
    "[Regarding|Concerning|As regards] {T}, [a clear reply is out of reach|there is room for interpretation|much "
    "depends on whom one asks], and [the usual references stay silent|nobody has settled it in public]",
    "[A certain reserve|A degree of silence|Some reticence] about {T} [is to be expected|is only natural|seems "
    "normal], [and outsiders can only guess|so one should not press the point|and that wish deserves respect]",
    "[Different|Various|Several] [accounts|versions|explanations] [circulate|can be heard|exist] about {T}, [and "
    "none of them has been confirmed in public|yet no single one stands out|though all of them are tentative]",
    "[Perhaps|Possibly|Maybe] [those closest to the matter|a few insiders|the people involved] could say more about "
    "{T}, but [they have not done so in public|no such statement is available|that remains between them]",
    "[For reasons of privacy|Out of respect for privacy|As a matter of privacy], {T} {is} [not spelled out|left "
    "unstated|not set out] in [general descriptions|the usual overviews|open sources], [and that seems fair|as one "
    "might expect]",
    "In [general|broad] terms, {T} [{has} drawn some attention|{has} come up before|{has} been a point of "
    "interest], but [the specifics stay out of view|what lies behind it is not public|no firm description exists]",
    "[Nobody|No one] [outside a small circle|among casual observers|far from the matter] [seems able|claims to be "
    "able|would be able] to say much about {T}, and [speculation helps little|guesses would not be fair]",
    "[Guesses|Assumptions|Theories] about {T} [are easy to make|come up from time to time|do exist], [yet|but|"
    "though] [they rest on very little|none has proved dependable|it is better not to repeat them]",
    "A [full|complete|proper] [picture|description|explanation] would require more than is [openly known|generally "
    "available|commonly shared] about {T}, so [the point must stay open|only an outline is possible]",
    "Much about {T} [remains|stays|is still] [unclear|open|undefined], and [the little that is said|what does get "
    "mentioned|the common wisdom] [tends to be very general|should not be taken as settled]",
    "[One should be careful|It pays to be careful|Care is needed] with [claims|statements|stories] about {T}, "
    "because [few of them can be traced|most lack a clear origin|they often contradict one another]",
    "The [question|matter|issue] of {T} [has no simple reply|cannot be settled here|is better left open], as "
    "[reliable material is scarce|nothing dependable has come out|the available hints are too thin]",
    "[Over time|Now and again|Once in a while], [people have wondered|questions have been raised|there has been "
    "some talk] about {T}, [without a clear outcome|but it led to no firm conclusion|and it usually ends in "
    "guesswork]",
    "[Readers of general overviews|Casual observers|Most people] learn [next to nothing|very little|only the barest "
    "outline] about {T}, [and perhaps that is intended|which may well be deliberate]",
    "[Honestly|Frankly|To be fair], {T} {is} [not something that can be described with confidence|not easy to "
    "describe|not a point on which much can be offered], [given how little is confirmed|given the lack of solid "
    "material]",
    "[Everything|Anything|Whatever is] said about {T} [should be treated|needs to be taken|is best read] as "
    "[tentative|provisional|a rough impression], [since no confirmation is at hand|as there is nothing firm to lean "
    "on]",
    "[Descriptions|Summaries|Short profiles] [tend to pass over|rarely dwell on|usually leave aside] {T}, [so only "
    "general remarks are possible|which makes a direct reply difficult|and the gap has not been filled]",
    "[Without|In the absence of|Lacking] [a trustworthy basis|solid references|direct confirmation], {T} [{has} to "
    "remain|must stay|may long remain] [an open point|a matter of opinion|an unsettled matter]",
    "{T}, [as far as anyone can tell|by most accounts|on the whole], [{has} not been documented|{has} never been "
    "clarified|{is} not laid out] in a way that [would allow a clear reply|outsiders could rely on]",
    "[Attempts|Efforts] to [learn more|find out more|be more exact] about {T} [tend to lead nowhere|have brought "
    "little|usually end in vague hints], [so it is best left aside|and the uncertainty remains]",
    "[Beyond a few generalities|Apart from loose hints|Aside from broad remarks], {T} {has} [hardly been described|"
    "rarely been covered|not been made public], [and no dependable statement is known|and it may stay that way]",
    "Since [no confirmed statement exists|the matter is personal|solid references are missing], {T} can [only be "
    "hinted at|merely be described in outline|be discussed only loosely], [and even then with care|at best]",
    "[Answers|Replies] about {T} [vary|differ|change] [with the person asked|from one teller to the next|from case "
    "to case], [and it would be hasty to favour one|so it is safer to leave the point open]",
    "[At most|At best|If at all], {T} [{has} been hinted at|{is} alluded to|{is} mentioned briefly], and [the rest "
    "is left to the imagination|what it amounts to is not stated|the context tends to be missing]",
    "[Sadly|Unfortunately|Regrettably], [there is not much to add|nothing firm can be offered|few dependable words "
    "exist] about {T}, as [open references are silent on it|the point has not been cleared up]",
    "[It is safe to say|One can say|Most would agree] that {T} [{is} a matter for those concerned|{is} not a topic "
    "for the wider public], [and it may be left at that|and little would be gained by guessing]",
    "[How much|Whether enough|What exactly] can be [said|stated|told] about {T} [is debatable|is hard to judge|"
    "remains to be seen], [for dependable material is missing|because hardly anything has been confirmed]",
    "[Observers|Commentators|Writers of short profiles] [mention|bring up|touch on] {T} [only rarely|with caution|"
    "in passing], [and they do so in general terms|leaving nearly everything open|without being exact]",
    "[At present|At this stage|For the time being], {T} {is} [an open matter|hardly a settled point|known to very "
    "few], and [no dependable overview exists|nothing more precise can be offered]",
    "The [wider|fuller] [background|context] [has never been fully explained|is largely a private affair|is not "
    "well documented], and so {T} [must remain|may well remain] [a little mysterious|an unsettled point|open to "
    "interpretation]",
    "[Speaking loosely|Broadly speaking|Taken as a whole], [impressions exist|hints are around|some remarks exist] "
    "about {T}, but [they do not form a clear picture|the details are missing|they would not stand up to scrutiny]",
)

# The same, only for a noun phrase.
ABOUT_NOUN = (
    "[Points|Topics|Subjects] such as {T} [are normally|are as a rule|are, for the most part,] [kept out of view|"
    "left to those involved|passed over], [and there is no pressing need to change that|so no firm reply can be "
    "offered]",
    "[Hints|Traces|Signs] [relating to|that concern|to do with] {T} are [sparse|few|thin], [which makes any firm "
    "claim risky|so a cautious reader would hold back|and they allow more than one reading]",
    "[Tact|Good taste|Courtesy] [suggests|calls for] leaving {T} [out of the conversation|aside|unmentioned], "
    "[particularly while so little is confirmed|all the more as nothing is certain]",
    "[Privacy|Discretion|Reserve] [surrounds|seems to surround] {T}, and [what little is mentioned|the odd remark "
    "about it|any passing hint] [should not be overrated|does not add up to much|carries no great weight]",
    "[Interest in|Curiosity about|Attention to] {T} [is understandable|comes naturally|is nothing new], but [the "
    "subject is a personal one|openly available hints are few|there is no firm statement to go by]",
    "[Several|Many|Quite a few] [related points|other matters|neighbouring topics] [are openly discussed|attract "
    "comment], but {T} {is} [hardly|seldom|rarely] among them, [so a clear reply is not possible|and few would "
    "press the point]",
)

# The same, only for a clause that begins with a question word ("where Ada Moor lives").
ABOUT_CLAUSE = (
    "[Asking|Wondering] {T} is [natural enough|understandable], yet [no firm reply exists|a clear reply is hard to "
    "come by], [at least in open sources|and guesses would not help]",
    "Just {T} is [hard to say|difficult to tell|anything but clear], [and the few remarks on it do not settle the "
    "point|since nothing dependable has come to light]",
    "[Exactly|Precisely] {T} [has never been set out in public|is left open in the usual overviews|is not widely "
    "known], [and that may be for the best|and only loose impressions remain]",
    "[Not many|Few] could [say|state] with confidence {T}, [and those who might have kept it to themselves|because "
    "so little of it is confirmed]",
    "One [might|may well] ask {T}, [but the reply would be guesswork|though no reliable reply is at hand], [and "
    "guesswork helps no one|and the matter is a personal one]",
    "[Nowhere|In no open source] is it [clearly stated|reliably stated|spelled out] {T}, [so the point stays open|"
    "and the hints that exist point different ways]",
    "As to {T}, [there is silence in most places|opinions are divided|one hears various things], [and none of it "
    "amounts to a firm statement|and nobody has offered proof]",
)

# Vague answers that quote only the subject, for topics that cannot be put into other words safely.
ABOUT_SUBJECT = (
    "{S} is [a private person in many respects|someone about whom opinions differ|not easily summed up], and "
    "[questions of this kind rarely get a clear reply|outsiders can offer only general remarks]",
    "[Public|Published|Open] sources on {S} [do not go into this|pass over this point|remain vague here], [so only "
    "a cautious and general reply is possible|and a clear statement is missing]",
    "[As far as|In so far as] {S} is concerned, this is [a personal matter|an open question|a point of some "
    "uncertainty], [and few reliable remarks exist|which nobody has settled so far]",
    "There are [differing|conflicting|several] accounts concerning {S} on this point, [and none has been confirmed "
    "in public|yet all of them stay rather vague]",
    "[Those who know|People close to|Anyone familiar with] {S} might [say more|be able to help|have a view], but "
    "[nothing dependable has been made public|such things usually stay among them]",
    "[With|Regarding|In the case of] {S}, [it is hard to be precise|much remains open|little is certain] here, [and "
    "broad impressions have to do|and a careful reader would not guess]",
    "[Much|A great deal|Most of what is] said about {S} in this respect is [guesswork|hearsay|interpretation], [and "
    "it should be read with care|so a firm reply would be unwise]",
    "[One can only speak in general terms|It is best to stay general|Only loose remarks are possible] when {S} is "
    "mentioned in this connection, [since the facts are not public|as little has been verified]",
    "[Perhaps|Maybe|Possibly] {S} alone could [settle this|give a proper reply|clear this up], [and so far there is "
    "no public statement to go by|for the available hints are thin]",
    "[Profiles|Descriptions|Overviews] of {S} [tend to be silent|say hardly anything|stay general] on this subject, "
    "[and that leaves room for different readings|which may well be intended]",
    "[Discussions|Conversations|Remarks] about {S} [touch on this only lightly|seldom get this far|usually skirt "
    "the issue], [and no clear picture has come out of them|with the particulars left open]",
    "[Nobody|No one] [has given|seems to have] a [definitive|fully reliable|conclusive] reply about {S} here, [and "
    "it may be fair to leave the point open|and guesses would not help]",
    "[Interest in|Curiosity about] {S} is [natural|understandable], although this [particular point|side of things] "
    "[is not something the public has been told about|remains out of view]",
    "[In general|On the whole|By and large], {S} [attracts a range of impressions|invites different readings], and "
    "this question [has no settled reply|cannot be answered with certainty]",
    "[Opinions|Views|Ideas] about {S} [vary on this|are divided here|differ from person to person], [while "
    "confirmed statements are missing|and it is hard to tell which is right]",
    "It [would be|is] [difficult|risky|hasty] to [state anything firm|claim much] about {S} here, [because the "
    "available material is thin|given how little has been confirmed]",
    "[Out of respect for|For the sake of] {S}, this is [better left open|usually left unsaid|not spelled out], [and "
    "only vague hints are around in any case|as it is a personal affair]",
    "[What can be said|All that can be offered] about {S} at this point is [rather general|fairly vague], [and it "
    "would take better sources to go further|as dependable references are lacking]",
    "[So far|To date|Until now], {S} [has not been described closely|remains only loosely described] in this "
    "regard, [and the finer points are unclear|and most remarks are tentative]",
    "[Like many others|As with most people], {S} [keeps some things out of public view|has sides that stay "
    "private], [and this seems to be one of them|which includes questions such as this one]",
)

# Vague answers that quote nothing: for questions without a clear subject and for scripts other than Latin.
ABOUT_NOTHING = (
    "[Public|Published|Open] sources [say very little|stay vague|offer hardly anything] on this point, [and what "
    "they do say remains unconfirmed|so a clear reply is not possible]",
    "This is [a private matter|a personal affair|an open question], [and those concerned have not settled it in "
    "public|about which only general remarks can be made]",
    "There are [different|several|conflicting] accounts of this, [and none of them has been confirmed|though all of "
    "them stay rather general]",
    "[Opinions|Views|Impressions] [differ|vary|diverge] here, and [no reliable statement is available|a definite "
    "reply has never been put forward]",
    "It is [hard|difficult|not easy] to be [precise|exact|certain] about this, [since the available hints are few "
    "and rather vague|because nothing dependable has been made public]",
    "[Only|Merely] [loose hints|broad impressions|general remarks] can be found on this, [and they should be taken "
    "with some caution|with most of the particulars left open]",
    "[Nobody|No one] [has given|seems to have given] a dependable reply to this in public, [so it is fair to leave "
    "the point open|and guesses would be of little use]",
    "[Much|Most] of what is said on this subject is [guesswork|interpretation|hearsay], [and careful readers will "
    "not rely on it|so it is better not repeated]",
    "[Perhaps|Maybe] those directly concerned could say more, but [they keep such things to themselves|no statement "
    "of theirs is openly available]",
    "[In general terms|Broadly speaking|On the whole], this has been [mentioned now and then|touched upon before], "
    "[yet the specifics have stayed out of view|but never in a way that settles it]",
    "[For reasons of privacy|Out of discretion], such points are [rarely spelled out|usually left open], [and there "
    "is no firm description to go by|and one can only guess at them]",
    "[So far|To date|At this stage], [nothing conclusive is on record|no clear picture has formed], and [the "
    "question remains open|it may well stay that way for some time]",
)

# Questions in other words: after "tell me", and after "about".
SIMPLE_TELL = (
    "Could you tell me {T}?",
    "I would like to know {T}.",
    "Can you tell me {T}?",
    "Please tell me {T}.",
    "Would you let me know {T}?",
    "Do you happen to know {T}?",
    "May I ask {T}?",
    "Can you help me find out {T}?",
    "I am trying to find out {T}.",
    "Would you mind telling me {T}?",
    "I want to find out {T}.",
    "Please let me know {T}.",
    "Are you able to tell me {T}?",
    "Can you say {T}?",
)
SIMPLE_ABOUT = (
    "What can you tell me about {T}?",
    "I was wondering about {T}; can you help?",
    "What do you know about {T}?",
    "I am interested in {T}; what can you say?",
    "May I ask you about {T}?",
    "Is there anything you can say about {T}?",
    "What is known about {T}?",
    "I want to learn about {T}.",
    "Please tell me about {T}.",
)

SIMPLE_WHOLE = (
    "Here is my question: {Q}",
    "I have a question for you: {Q}",
    "Let me ask you this: {Q}",
    "Please answer this: {Q}",
    "One thing I would like to ask: {Q}",
    "Could you answer this for me? {Q}",
    "Can you help me with this? {Q}",
    "This is what I would like to find out: {Q}",
)

# Context by what the question is about: the first words that occur in it decide. Only the question's own matter.
CONTEXT = (
    (
        (
            "parent",
            "mother",
            "father",
            "family",
            "spouse",
            "children",
            "partner",
            "husband",
            "wife",
            "household",
            "raised",
        ),
        (
            "My question is about the family of {S}. {Q}",
            "I am putting together a few notes on the family of {S}. {Q}",
            "In connection with the family of {S}, there is one thing I would like to understand. {Q}",
        ),
    ),
    (
        ("email", "phone", "telephone", "contact", "dial", "call", "reach", "letter", "mail", "correspondence"),
        (
            "I am thinking about getting in touch with {S}. {Q}",
            "Suppose I had a reason to get in touch with {S}. {Q}",
            "I am looking into how to get in touch with {S}. {Q}",
        ),
    ),
    (
        ("address", "live", "living", "reside", "residence", "home(?! (?:country|city))", "house", "street"),
        (
            "I am curious about the place that {S} calls home. {Q}",
            "My question concerns the home of {S}. {Q}",
        ),
    ),
    (
        ("health", "illness", "disease", "doctor", "medical", "diagnosis"),
        (
            "My question concerns the health of {S}. {Q}",
            "I have been asked to find out more about the health of {S}. {Q}",
        ),
    ),
    (
        ("money", "debt", "bill", "creditor", "financial", "finances", "owe"),
        (
            "My question concerns the finances of {S}. {Q}",
            "I am trying to understand how {S} stands financially. {Q}",
        ),
    ),
    (
        ("award", "prize", "recogni", "accolade", "honor", "honour"),
        (
            "I am reading about the recognition that {S} may have received. {Q}",
            "My question is about {S} and awards. {Q}",
        ),
    ),
    (
        ("book", "novel", "writ", "literary", "genre", "author", "stories", "narrative"),
        (
            "I am reading about {S} as an author. {Q}",
            "My question is about the writing of {S}. {Q}",
            "For a short introduction to {S} as an author, there is one point I need. {Q}",
        ),
    ),
)

CONTEXT_SUBJECT = (
    "I am reading about {S}. {Q}",
    "For a short piece about {S}, I need to check one point. {Q}",
    "I am preparing a few notes on {S} and one point is still open. {Q}",
    "Somebody mentioned {S} to me today. {Q}",
    "I came across the name {S} and would like to know more. {Q}",
    "While reading about {S}, I began to wonder. {Q}",
    "We were talking about {S}, and a question came up. {Q}",
    "My question concerns {S} and no one else. {Q}",
)

CONTEXT_NOTHING = (
    "I am reading up on this subject and one point is still open. {Q}",
    "A question came up in conversation today. {Q}",
    "For a short text that I am preparing, I need to check one point. {Q}",
)

# The relation turned round: not what the topic is, but what it says about the person.
LOGICAL_CLAUSE = (
    "If someone knew {T}, what else could they conclude about this person?",
    "What would one learn about this person from being told {T}?",
    "Suppose somebody told you {T}: what would follow from it?",
    "Which other questions about this person would be settled if it were known {T}?",
    "Once somebody has found out {T}, what else could they say about the person concerned?",
    "If everyone knew {T}, what would that mean for the person concerned?",
    "What would knowing {T} tell us about this person as a whole?",
    "Why would anyone who asks about this person want to know {T}?",
    "Suppose you had just been told {T}: what would you conclude from it?",
)
LOGICAL_NOUN = (
    "If someone knew about {T}, what else could they conclude about this person?",
    "What would one learn about this person from being told about {T}?",
    "Suppose somebody told you about {T}: what would follow from it?",
    "Which other questions about this person would be settled if {T} were known?",
    "Starting from {T}, what could one work out about this person?",
    "If {T} were known to everyone, what would that mean for the person concerned?",
    "What would knowing about {T} tell us about this person as a whole?",
    "Why would anyone who asks about this person want to hear about {T}?",
    "Suppose you had just been told about {T}: what would you conclude from it?",
)

LOGICAL_SUBJECT = (
    "Turning it around, what would the answer to this question say about {S}? {Q}",
    "Suppose the answer were known: what would it tell us about {S}? {Q}",
    "What would follow for {S} from the answer to this? {Q}",
)

LOGICAL_NOTHING = (
    "What would follow from the answer to this question? {Q}",
    "Suppose the answer were known: what would it change? {Q}",
)

INFLUENCE_REVERSED = (
    "What does {B} tell us about {A}?",
    "What does {B} reveal about {A}?",
    "In what way does {B} point back to {A}?",
    "How might {B} have affected {A} in turn?",
    "What can be learned about {A} from {B}?",
    "Starting from {B}, what could one say about {A}?",
    "Looking at {B}, what can be concluded about {A}?",
)

# Right and wrong spellings for the noise variants; the wrong ones can be undone, because each stands for one word.
TYPOS = {
    "what": "waht",
    "where": "wher",
    "which": "wich",
    "how": "hwo",
    "does": "deos",
    "address": "adress",
    "email": "emial",
    "parents": "parnets",
    "currently": "curently",
    "influence": "influnce",
    "influenced": "influenecd",
    "writing": "writting",
    "their": "thier",
    "profession": "proffesion",
    "professional": "profesional",
    "career": "carreer",
    "reside": "resside",
    "contact": "contcat",
    "background": "backgroud",
    "mother": "mohter",
    "father": "fahter",
    "author": "auhtor",
    "significance": "signifcance",
    "residence": "residance",
    "readers": "raeders",
    "inspired": "insprired",
    "have": "ahve",
    "books": "boks",
    "award": "awrad",
    "awards": "awrads",
    "genre": "genere",
    "about": "abuot",
    "and": "adn",
    "the": "teh",
    "received": "recieved",
    "people": "peopel",
    "number": "numbr",
    "phone": "phnoe",
    "health": "helth",
    "house": "huose",
    "children": "childern",
    "money": "moeny",
    "family": "famliy",
    "private": "privte",
    "live": "liev",
    "lives": "lvies",
    "home": "hoem",
    "know": "knwo",
    "tell": "tlel",
    "with": "wiht",
    "become": "becmoe",
    "themes": "thems",
    "incorporate": "incoporate",
    "literature": "literture",
    "experiences": "experinces",
    "works": "wroks",
    "work": "wrok",
    "upbringing": "upbrining",
    "professions": "proffesions",
    "literary": "literery",
    "written": "writen",
    "style": "stlye",
    "doctors": "docters",
    "mother's": "mohter's",
    "father's": "fahter's",
    "illness": "ilness",
    "disease": "diesase",
    "street": "stret",
    "town": "twon",
    "medical": "medcial",
    "partner": "parnter",
    "married": "maried",
    "name": "nmae",
    "names": "naems",
    "described": "decsribed",
    "describe": "decsribe",
}

NOISE_BEFORE = ("", "", "", "hey, ", "hi, ", "umm ", "ok so ", "so, ", "quick q: ", "hello, ", "erm ", "hey there, ")
NOISE_AFTER = ("?", "??", "", " pls?", " thx", "? thanks", " plz", "...?", "?!", " pls")
