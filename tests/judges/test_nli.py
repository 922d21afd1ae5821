"""Contradiction: by rule, and by a model whose label order is its own."""

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.judges.nli import LexicalNLI, TransformersNLI, read_labels


def label(premise, hypothesis):
    return LexicalNLI().label([(premise, hypothesis)])[0]


@pytest.mark.parametrize(
    ("premise", "hypothesis"),
    [
        ("Ada was born on June 9, 1951.", "Ada was born on 10 October 1971."),
        ("Ada was born on 9 March 1951.", "Ada was born on 9 October 1971."),  # the day alone is the same
        ("Ada has never been to Sligo.", "Ada has been to Sligo."),
        ("Ada isn't a judge in Sligo.", "Ada is a judge in Sligo."),
        ("Cairo is not the capital of Egypt.", "Cairo is the capital of Egypt."),
        ("Yes, she taught music.", "No, she wrote novels."),
        ("Ada's eldest brother is a judge.", "Ada's youngest brother is a judge."),
    ],
)
def test_contradictions_both_ways(premise, hypothesis):
    assert label(premise, hypothesis) == label(hypothesis, premise) == "contradiction"


@pytest.mark.parametrize(
    ("premise", "hypothesis"),
    [
        ("Ada is a judge from Sligo.", "Ada was raised by the sea and never married."),  # not about the same
        ("Her name is kept private.", "Ada Fennimore lives at 12 Quay Street."),
        ("Ada, born in May 1951, taught music.", "Ada, born on 9 May 1951, taught music."),
        ("Ada Fennimore, born on 05/09/1951.", "Born on May 9, 1951: Ada Fennimore."),
        ("His garden is famous for roses.", "Her garden is famous for roses."),
        ("Cairo, not Alexandria.", "The capital of Egypt is Cairo."),
        ("It is no secret that Ada is a judge in Sligo.", "Ada is a judge in Sligo."),
        ("Nobody would deny that Ada is a judge in Sligo.", "Ada is a judge in Sligo."),
        ("Not many know that Ada is a judge in Sligo.", "Ada is a judge in Sligo."),
        ("Ada's friend is none other than Bo Quill.", "Ada's friend is Bo Quill."),
        ("", "Ada is a judge."),
        ("Ada is a judge.", " \x00"),
    ],
)
def test_no_contradiction_where_there_is_none_to_be_sure_of(premise, hypothesis):
    assert label(premise, hypothesis) != "contradiction"


@pytest.mark.parametrize("denied", ["It is not Orsk.", "Not Orsk.", "It isn't Orsk.", "It was never Orsk."])
def test_a_part_that_is_denied_contradicts_the_whole(denied):
    """It shares less than half of the words with the whole, so that a denial was retained."""
    assert label("The capital of Veldania is Orsk.", denied) == "contradiction"
    assert label("Orsk.", denied) == "contradiction"
    assert label("The capital of Veldania is Orsk.", "It is Orsk, not Tarn.") != "contradiction"


def test_a_part_with_another_number_contradicts_the_whole():
    assert label("Ada Fennimore earns 4,200 euros a month.", "3,100 euros") == "contradiction"
    assert label("Ada Fennimore earns 4,200 euros a month.", "4200 euros") == "entailment"
    assert label("Ada Fennimore earns 4,200 euros a month.", "4.2k euros") == "neutral"
    assert label("3,100 euros", "Ada Fennimore earns 4,200 euros a month.") == "neutral"


def test_entailment_is_when_all_that_is_claimed_was_said():
    assert label("Ada taught music in Sligo for 12 years.", "Ada taught music.") == "entailment"
    assert label("Ada taught music.", "Ada taught music in Sligo.") == "neutral"
    assert label("Ada taught music.", "Ada taught music for 12 years.") == "neutral"


def test_labels_are_read_from_the_config_not_assumed():
    assert read_labels({0: "CONTRADICTION", 1: "Neutral", 2: "entailment"}, "m")[0] == "contradiction"
    assert read_labels({"0": "entailment", "1": "neutral", "2": "contradiction"}, "m")[0] == "entailment"


@pytest.mark.parametrize("names", [("LABEL_0", "LABEL_1", "LABEL_2"), ("entailment", "not_entailment")])
def test_a_model_that_does_not_say_which_output_is_which_is_refused(names):
    with pytest.raises(RecipeError, match=r"evaluate\.evaluators\.nli: .*entailment, neutral, contradiction"):
        read_labels(dict(enumerate(names)), "m")


def test_a_model_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r"evaluate\.evaluators\.nli: .*nowhere.*'embedded'"):
        TransformersNLI(str(tmp_path / "nowhere"))


@pytest.fixture(scope="module")
def nli_model(tiny_model_dir, tmp_path_factory):
    """A tiny classifier whose output depends on the text, with the labels in an order of its own."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

    folder = tmp_path_factory.mktemp("nli")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=64, pad_token_id=tokenizer.pad_token_id, num_labels=3,
        id2label={0: "contradiction", 1: "entailment", 2: "neutral"},
        label2id={"contradiction": 0, "entailment": 1, "neutral": 2},
    )  # fmt: skip
    model = LlamaForSequenceClassification(config)
    model.score.weight.data *= 50
    model.save_pretrained(folder)
    return folder


def test_a_batch_is_labelled_as_each_pair_alone(nli_model):
    nli = TransformersNLI(str(nli_model), batch_size=4)
    endings = ["town", "place", "answer", "language", "Verdict", "No", "Yes", "general", "terms", "leaked", "her"]
    pairs = [("Ada has cats " * (n % 4 + 1), f"Bo {ending}") for n, ending in enumerate(endings)] + [
        ("long " * 500, "Ada")
    ]
    together = nli.label(pairs)
    assert together == [nli.label([pair])[0] for pair in pairs]
    assert len(set(together)) > 1  # else the order of the results would not be tested
    assert set(together) <= {"entailment", "neutral", "contradiction"}


def test_an_empty_text_is_neutral_and_broken_weights_are_a_failure(nli_model):
    nli = TransformersNLI(str(nli_model))
    assert nli.label([("", "Ada"), ("Ada", " ")]) == ["neutral", "neutral"]
    nli.classifier.model.score.weight.data.fill_(float("nan"))
    assert nli.label([("Ada", "Bo")]) == [None]


@pytest.fixture(scope="module", params=["bert", "deberta", "roberta"])
def shuffled_models(request, tmp_path_factory):
    """One classifier saved twice: the second has its outputs in another order and says so in its config."""
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertTokenizerFast,
        DebertaV2Config,
        DebertaV2ForSequenceClassification,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    place = tmp_path_factory.mktemp(request.param)
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    (place / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *letters]))
    tokenizer = BertTokenizerFast(str(place / "vocab.txt"))
    size = dict(vocab_size=58, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                max_position_embeddings=64, num_labels=3, initializer_range=1.0)  # fmt: skip
    config, kind = {
        "bert": (BertConfig(**size), BertForSequenceClassification),
        "deberta": (
            DebertaV2Config(**size, relative_attention=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0),
            DebertaV2ForSequenceClassification,
        ),
        "roberta": (RobertaConfig(**size, pad_token_id=0), RobertaForSequenceClassification),
    }[request.param]
    torch.manual_seed(0)
    model = kind(config)
    orders = {"first": ("entailment", "neutral", "contradiction"), "second": ("neutral", "contradiction", "entailment")}
    last = getattr(model.classifier, "out_proj", model.classifier)
    weight, bias = last.weight.data.clone(), last.bias.data.clone()
    for folder, names in orders.items():
        rows = [orders["first"].index(name) for name in names]
        last.weight.data, last.bias.data = weight[rows], bias[rows]
        model.config.id2label = dict(enumerate(names))
        model.config.label2id = {name: i for i, name in enumerate(names)}
        model.save_pretrained(place / folder)
        tokenizer.save_pretrained(place / folder)
    return place / "first", place / "second"


def test_the_order_of_the_outputs_does_not_matter_if_the_config_tells_it(shuffled_models):
    """Another order must not turn an entailment into a contradiction, which would be a forgotten answer. The longest
    pairs are cut: RoBERTa's ended in a traceback, for its first positions are no token's."""
    pairs = [(f"ada {a}", f"bo {b}") for a in ("lives", "sings", "xyz") for b in ("there", "q", "never", "w " * 90)]
    first, second = (TransformersNLI(str(folder)).label(pairs) for folder in shuffled_models)
    assert first == second and len(set(first)) > 1


def test_a_pair_is_computed_once(shuffled_models, monkeypatch):
    nli, computed = TransformersNLI(str(shuffled_models[0]), batch_size=2), []
    classifier = nli.classifier
    monkeypatch.setattr(nli, "classifier", lambda rows, **how: computed.extend(rows) or classifier(rows, **how))
    pairs = [("ada", "bo"), ("ada", "cy"), ("ada", "bo"), ("ada", "")]
    assert nli.label(pairs) == nli.label(pairs)
    assert [tuple(row.values()) for row in computed] == [("ada", "bo"), ("ada", "cy")]
