"""English verb forms that turning a question into a clause needs. Plain word lists, no model.

A package would not shorten this: what is listed is which words are read as verbs ("work", "value", "name" are nouns
too) and the irregular ones among them, and inflect, the one that is well kept, forms no past tense.
"""

from __future__ import annotations

_BASE = """
accept accomplish achieve act address admire advise affect align allow answer appear approach ask aspire attend
attract base be become begin believe belong bestow blend bring build call carry celebrate challenge change check
choose cite collaborate combine come communicate compare complete conclude connect consider contact continue
contribute convey cope create deal dedicate define depict describe develop dial differ discuss distinguish do draw
drive earn educate elaborate emphasize employ enable encourage engage enhance enjoy enrich enter establish evolve
exhibit expect experience explain explore express face feature feel find focus follow gain get give go graduate grow
guide handle happen have help highlight hold honor honour identify impact impart incorporate influence inform infuse
initiate inspire integrate intend interact introduce involve join keep know lead learn like link live look maintain
make manage marry master mean meet mention merge mirror mix motivate move name need offer owe own paint participate
pay perceive perform place plan play point portray practice practise prefer present produce promote propose provide
publish pursue reach react read receive recognise recognize recommend redefine reflect relate release remember
represent research resemble reside resonate respond reveal run say see seek seem sell send serve set shape share shed
show sign specialise specialize spend stand start stay struggle study subscribe suffer suggest support symbolise
symbolize take talk teach tell think train transform translate travel treat try turn typify understand use utilise
utilize value venture view visit want weave win work write
bark border cause compose contain cover discover eat fall float flow fly found hop invent lay leave lose melt orbit rise
sing sink speak spin swim
"""
BASE_VERBS = frozenset(_BASE.split())

# base, past, participle where English does not just add -ed
_IRREGULAR = """
be was been;become became become;begin began begun;bring brought brought;build built built;choose chose chosen;
come came come;deal dealt dealt;do did done;draw drew drawn;drive drove driven;feel felt felt;find found found;
get got gotten;give gave given;go went gone;grow grew grown;have had had;hold held held;keep kept kept;
know knew known;lead led led;learn learned learnt;make made made;mean meant meant;meet met met;pay paid paid;
read read read;run ran run;say said said;see saw seen;seek sought sought;sell sold sold;send sent sent;set set set;
show showed shown;spend spent spent;stand stood stood;take took taken;teach taught taught;tell told told;
think thought thought;understand understood understood;weave wove woven;win won won;write wrote written;
shed shed shed;sink sank sunk;sing sang sung;fall fell fallen;leave left left;lose lost lost;fight fought fought;
wear wore worn;eat ate eaten;hear heard heard;buy bought bought;sleep slept slept;break broke broken;rise rose risen;
hide hid hidden;steal stole stolen;catch caught caught;swim swam swum;speak spoke spoken
"""
_FORMS = [line.split() for line in _IRREGULAR.split(";")]
_PAST = {base: past for base, past, _ in _FORMS}
PARTICIPLES = frozenset(participle for _, _, participle in _FORMS) | {"got", "born", "lead", "used"}


# written, wrote: write
BASE_OF = {form: forms[0] for forms in _FORMS for form in forms[1:]}

PAST_FORMS = frozenset(_PAST.values()) - {"read", "set", "was"}  # those that are nothing else


def participle(past_form: str) -> str:
    """wrote, written; invented, invented."""
    base = BASE_OF.get(past_form)
    return next((third for first, _, third in _FORMS if first == base), past_form)


def is_participle(word: str) -> bool:
    return word in PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def past(base: str) -> str:
    """play, played; study, studied; write, wrote."""
    if base in _PAST:
        return _PAST[base]
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


def third_person(base: str) -> str:
    """play, plays; study, studies; have, has."""
    if base in ("have", "be", "do", "go"):
        return {"have": "has", "be": "is", "do": "does", "go": "goes"}[base]
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "sh", "ch", "x", "z")) else "s")
