"""What is trained and what is reported share no wording; some facets are reported only."""

import pytest

from relearn_lite.collect.facets import Wording, person_wordings
from relearn_lite.collect.parts import parts_of


def facets_of(parts, *which):
    return {wording.facet for wording, part in parts.items() if part in which}


@pytest.mark.parametrize("seed", [1, 2, 42])
def test_facets_and_wordings_are_held_out(seed):
    parts = parts_of(person_wordings(), 0.25, seed)
    facets = {wording.facet for wording in person_wordings()}
    assert parts.keys() == set(person_wordings())
    only_asked = facets_of(parts, "eval") - facets_of(parts, "train")
    assert len(only_asked) == round(0.25 * len(facets))
    for facet in facets - only_asked:
        played = [part for wording, part in parts.items() if wording.facet == facet]
        assert played.count("eval") == (len(played) > 1) and played.count("select") == (len(played) > 2)


def test_the_seed_alone_decides():
    one, same, other = (parts_of(person_wordings(), 0.25, seed) for seed in (7, 7, 8))
    assert one == same != other


def test_one_facet_is_always_trained():
    one = [Wording("home", "Where does {S} live?")]
    assert parts_of(one, 0.9, 1) == {one[0]: "train"}
    assert parts_of([], 0.5, 1) == {}
