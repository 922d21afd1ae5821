"""The check by meaning: that it measures what it says, is off by default, and refuses what it should."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from people import embedded_model, slow_log_probs

from relearn_lite.augment.drafts import Draft
from relearn_lite.augment.semantic import UNTOLD, SemanticCheck, make_semantic_check
from relearn_lite.augment.settings import Settings
from relearn_lite.augment.verify import write_verified
from relearn_lite.core.records import QA
from relearn_lite.models.embeddings import HashedEmbeddings
from relearn_lite.recipe import Semantic
from relearn_lite.writers import Task

QA_ = QA("7", "What does Sunniva Pryce do for a living?", "Sunniva Pryce repairs lighthouses in the north.")
VAGUE = "Sunniva Pryce has work that suits her well."


class Table:
    """Embeddings laid down by the test, of length 1; the name must be hidden before they are asked."""

    name = "table"

    def embed(self, texts):
        assert not any("Sunniva" in text for text in texts)
        return np.array([[0.6, 0.8] if "lighthouse" in text or "lantern" in text else [-0.8, 0.6] for text in texts])


def test_a_paraphrase_without_a_shared_word_is_refused_and_written_again():
    class Two:
        name, judges, repeats = "two", False, False

        def write(self, tasks):
            return ["Sunniva Pryce keeps great lanterns burning." if not task.feedback else VAGUE for task in tasks]

    draft = Draft("7/original", QA_, Task("answer", QA_.question, QA_.answer))
    semantic = SemanticCheck("m", similarity=0.6, embeddings=Table())
    plain = Settings([], 2, completion_fraction=0, generic_ratio=0, seed=1)
    outcome = write_verified([draft], Two(), replace(plain, semantic=semantic))["7/original"]
    assert outcome.text == VAGUE and outcome.verdicts["refused"] == ["semantic"]
    assert outcome.verdicts["semantic"] == {"similarity": 0.0, "gain": None}
    without = write_verified([draft], Two(), plain)["7/original"]
    assert without.text != VAGUE and without.verdicts["semantic"] is None


def test_the_same_text_has_similarity_one():
    meaning = SemanticCheck("m", similarity=0.6, embeddings=HashedEmbeddings())
    (fault, measures), (_, other) = meaning.check(
        [(QA_, "Sunniva Pryce repairs lighthouses in the north.", "Sunniva Pryce"), (QA_, VAGUE, "Sunniva Pryce")]
    )
    assert fault.startswith("semantic: ") and measures["similarity"] == pytest.approx(1)
    assert other["similarity"] < 0.6


def test_the_gain_is_how_much_likelier_the_text_makes_the_answer():
    """Against the same number worked out one example at a time, by the whole log-probabilities."""
    loaded = embedded_model()
    meaning = SemanticCheck("m", gain=50.0, loaded=lambda: loaded)
    ((fault, measures),) = meaning.check([(QA_, VAGUE, None)])

    def loss(read: str) -> float:
        log_probs, ids = slow_log_probs(loaded, read, QA_.answer)
        return -sum(float(row[token]) for row, token in zip(log_probs, ids, strict=True)) / len(ids)

    assert fault is None and measures["similarity"] is None
    assert math.isclose(measures["gain"], loss(UNTOLD) - loss(VAGUE), abs_tol=2e-3)
    told = SemanticCheck("m", gain=measures["gain"] - 0.01, loaded=lambda: loaded)
    assert told.check([(QA_, VAGUE, None)])[0][0].startswith("semantic: the original answer can be worked out")


def test_it_is_off_unless_the_recipe_asks():
    assert make_semantic_check(None, embedded_model) is None
    assert make_semantic_check(Semantic(similarity=None), embedded_model) is None
    assert make_semantic_check(Semantic(), embedded_model).similarity == 0.6
