"""Words and sentences in any script."""

import pytest

from relearn_lite.text.words import script_runs, sentences, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Hsiao Yun-Hwa's book, 1,200 copies (05/11/1991).",
            ["Hsiao", "Yun-Hwa's", "book", "1,200", "copies", "05/11/1991"],
        ),
        ("She left.He stayed", ["She", "left", "He", "stayed"]),
        ("a.b@mail.org", ["a", "b@mail", "org"]),
        ("<b>x</b>\x00y", ["b", "x", "b", "y"]),
        ("Анна живёт", ["Анна", "живёт"]),
        ("दिल्ली में", ["दिल्ली", "में"]),
        ("佐々木さん", ["佐々", "々木", "木さ", "さん"]),  # the repetition mark was once a word of its own
        ("北京大学 ok", ["北京", "京大", "大学", "ok"]),
        ("-- ' .", []),
        ("", []),
    ],
)
def test_words(text, found):
    assert words(text) == found


def test_sentences():
    assert sentences('Dr. Lee left. "Why?" J. Olsen asked. 他走了。她来了。') == [
        "Dr. Lee left.", '"Why?"', "J. Olsen asked.", "他走了。", "她来了。",
    ]  # fmt: skip
    assert sentences("  ") == []
    assert sentences("He has a Ph.D. in physics. It opens at 5 p.m. on Monday. At 6 p.m. She leaves.") == [
        "He has a Ph.D. in physics.", "It opens at 5 p.m. on Monday.", "At 6 p.m.", "She leaves.",
    ]  # fmt: skip
    assert sentences("it costs approx. 5 dollars. i know.") == ["it costs approx. 5 dollars.", "i know."]


def test_runs_put_the_text_together_again():
    text = "Anna живёт в 北京, e\u0301té! हिन्दी"
    assert "".join(run for _, run in script_runs(text)) == text
    assert {kind for kind, _ in script_runs(text)} == {"latin", "spaced", "unspaced"}
