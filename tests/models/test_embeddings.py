"""Near in spelling, near in space."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.embeddings import HashedEmbeddings, SentenceTransformerEmbeddings

ROOT = Path(__file__).resolve().parents[2]


def cosine(first, second):
    a, b = HashedEmbeddings().embed([first, second])
    return float(a @ b)


def test_rows_have_length_one_and_nothing_has_length_zero():
    vectors = HashedEmbeddings().embed(["Sligo", "Минск", "北京", "", "?!"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0, 0], abs=1e-6)
    assert HashedEmbeddings().embed([]).shape[0] == 0


@pytest.mark.parametrize(("first", "second"), [("engineer", "engineers"), ("SLIGO", "sligo"), ("Yun-Hwa", "yun-hwa")])
def test_spellings_of_one_word_are_near(first, second):
    assert cosine(first, second) >= 0.8


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1957", "1958"),
        ("+353-71-555-0142", "+353-71-555-0143"),
        ("lawyer", "teacher"),
        ("Sligo", "Cork"),
        ("12", "13"),
    ],
)
def test_different_things_are_far_even_if_only_a_digit_differs(first, second):
    assert cosine(first, second) < 0.5


def test_a_vector_is_the_same_in_every_process():
    """Python's own hash() is salted anew in each process."""
    code = (
        "import relearn_lite.models.embeddings as e; print(e.HashedEmbeddings().embed(['Sligo']).tobytes().hex())"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": s},
            cwd=ROOT,
        ).stdout
        for s in ("1", "2")
    }
    assert len(shown) == 1


def test_a_model_that_is_not_there_is_told(tmp_path):
    """Whether the package or the model is missing, the message names the key, the value and the way out."""
    with pytest.raises(RecipeError, match=r"evaluate\.evaluators\.embeddings: .*nowhere.*'embedded'"):
        SentenceTransformerEmbeddings(str(tmp_path / "nowhere"))


def test_a_real_sentence_transformers_model(tiny_model_dir, tmp_path):
    package = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    package.SentenceTransformer(str(tiny_model_dir)).save(str(tmp_path / "st"))
    vectors = SentenceTransformerEmbeddings(str(tmp_path / "st")).embed(["home town", "a place", "home town"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-5)
