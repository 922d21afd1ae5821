"""Text out of the documents that people have, and a clear word where there is none."""

import ntpath
import time
from pathlib import PureWindowsPath
from zipfile import ZipFile

import pytest
from documents import ENCRYPTIONS, PAGE, encrypt, picture_pdf, save

from relearn_lite.core.errors import RecipeError
from relearn_lite.data import document_formats
from relearn_lite.data.documents import MOST, find_documents, labels, paragraphs, read_documents
from relearn_lite.text.words import sentences

KEY = "data.forget.documents"
FORMATS = ("txt", "md", "html", "docx", "pdf")


def read(*paths):
    return read_documents(find_documents(paths, KEY), KEY)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_page_says_the_same_in_every_format(form, tmp_path):
    blocks = read(save(PAGE, tmp_path / f"page.{form}"))
    assert [s for block in blocks for s in sentences(block.text)] == [s for text in PAGE for s in sentences(text)]
    place = {"pdf": "page", "txt": "line", "md": "line"}.get(form, "paragraph")
    assert all(block.place.startswith(place) and block.document == f"page.{form}" for block in blocks)


def test_places_are_those_of_the_document(tmp_path):
    (tmp_path / "a.txt").write_text("\nOne.\n\n\nTwo goes on\nhere.\n")
    assert [block.place for block in read(tmp_path / "a.txt")] == ["line 2", "line 5"]
    (tmp_path / "a.md").write_text("# One\n\nTwo *and* [three](x).\n\n| a | b |\n|---|---|\n| Phone | 12 |\n")
    assert [(b.place, b.text) for b in read(tmp_path / "a.md")] == [
        ("line 1", "One"), ("line 3", "Two and three."), ("line 5", "a: b"), ("line 7", "Phone: 12"),
    ]  # fmt: skip
    save(["One is here.", "\f", "Two is here."], tmp_path / "a.pdf")
    assert [(b.place, b.text) for b in read(tmp_path / "a.pdf")] == [
        ("page 1", "One is here."), ("page 2", "Two is here."),
    ]  # fmt: skip


def test_what_a_page_hides_or_offers_is_no_text_of_it(tmp_path):
    (tmp_path / "a.html").write_text(
        "<head><title>T</title><style>p {}</style></head><nav>Home</nav><!-- said --><p>One\n <b>two</b><br>three"
        "<script>let a = 1</script><dl><dt>Phone<dd><p>1<b>2</b></dl><table><tr><td>Mail<td>a@b.org</table>"
    )
    assert [block.text for block in read(tmp_path / "a.html")] == ["One two", "three", "Phone: 12", "Mail: a@b.org"]


def test_html_in_a_markdown_file_is_read(tmp_path):
    """A block of it was left out in silence, and the words on both sides of a <br> were put together."""
    (tmp_path / "a.md").write_text(
        '# Ada\n\n<!-- said -->\n<p align="center">She lives in <b>Rome</b> &amp; Bath.</p>\n\n<details>\n'
        "<summary>More</summary>\n\nShe was in Oslo.<br>She <i>left</i>.\n\n</details>\n\n<table>\n<tr><td>Phone</td>\n"
        "<td>12</td></tr>\n<tr><td>Born</td><td>1980</td></tr></table>\n\n<script>\nlet a = '<p>'\n</script>\n"
    )
    assert [(block.place, block.text) for block in read(tmp_path / "a.md")] == [
        ("line 1", "Ada"), ("line 4", "She lives in Rome & Bath."), ("line 6", "More"),
        ("line 9", "She was in Oslo. She left."), ("line 13", "Phone: 12"), ("line 13", "Born: 1980"),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", ["<", "<!--", "<script ", "<p"])
def test_html_in_a_markdown_file_that_is_never_closed_is_read_in_time_that_grows_with_its_length(mark, tmp_path):
    (tmp_path / "a.md").write_text("Ada was here.\n\n<div>\n" + mark * 100_000)
    began = time.process_time()
    assert read(tmp_path / "a.md")[0].text == "Ada was here."
    assert time.process_time() - began < 10


def test_a_table_that_lays_out_a_page_is_read_cell_by_cell(tmp_path):
    """All of a curriculum that stands in a table was one block, and a table in a table was not read."""
    docx = pytest.importorskip("docx")
    document = docx.Document()
    left, right = document.add_table(1, 2).rows[0].cells
    left.text, right.text = "Ada Fennimore", "She keeps the lighthouse."
    right.add_paragraph("She was born in 1950.")
    inner = right.add_table(1, 3).rows[0].cells
    inner[0].text, inner[2].text = "Phone", "555-0112"
    inner[0].merge(inner[1])
    document.save(str(tmp_path / "a.docx"))
    (tmp_path / "a.html").write_text(
        "<table><tr><td>Ada Fennimore</td><td><p>She keeps the lighthouse.</p><p>She was born in 1950.</p>"
        "<table><tr><td>Phone</td><td>555-0112</td></tr></table></td></tr></table>"
    )
    said = ["Ada Fennimore", "She keeps the lighthouse.", "She was born in 1950.", "Phone: 555-0112"]
    assert [[block.text for block in read(tmp_path / name)] for name in ("a.html", "a.docx")] == [said, said]


def test_text_in_a_text_box_is_read_once(tmp_path):
    """Word writes it twice, for itself and for older versions. Templates of curricula are made of such boxes."""
    docx = pytest.importorskip("docx")
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    said = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    box = f"<w:txbxContent>{said.format('Phone: 555-0112')}{said}</w:txbxContent>"
    name = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    xml = (
        f'<w:p {nsdecls("w")} xmlns:mc="{name}"><w:r><w:t>Ada Fennimore</w:t></w:r><w:r>'
        f"<mc:AlternateContent><mc:Choice>{box.format('One')}</mc:Choice>"
        f"<mc:Fallback><w:pict>{box.format('One')}</w:pict></mc:Fallback>"
        f"</mc:AlternateContent></w:r><w:r><w:pict>{box.format('Two')}</w:pict></w:r></w:p>"
    )
    document = docx.Document()
    document.element.body.insert_element_before(parse_xml(xml), "w:sectPr")
    document.add_paragraph("She keeps the lighthouse.")
    document.save(str(tmp_path / "a.docx"))
    assert [block.text for block in read(tmp_path / "a.docx")] == [
        "Ada Fennimore", "Phone: 555-0112", "One", "Phone: 555-0112", "Two", "She keeps the lighthouse.",
    ]  # fmt: skip


def test_a_page_that_is_one_form_is_read(tmp_path):
    """As some servers write every page; what such a form held was lost. One to log in with is none of the page."""
    login = "<form><label>User name</label><input></form>"
    page = f"<nav>{login}</nav><h1>Ada</h1>{login}<form><p>She keeps the lighthouse.</p></form>"
    (tmp_path / "a.html").write_text(page)
    assert [block.text for block in read(tmp_path / "a.html")] == ["Ada", "She keeps the lighthouse."]


def test_text_in_the_fields_of_a_form_or_inserted_under_review_is_read(tmp_path):
    """Both were left out without a word; what was deleted under review is no text."""
    docx = pytest.importorskip("docx")
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    field = "<w:sdt {0}><w:sdtContent><w:p><w:r><w:t>Ada Fennimore</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    changed = (
        "<w:p {0}><w:r><w:t>She keeps </w:t></w:r><w:ins><w:r><w:t>the lighthouse.</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>a cat.</w:delText></w:r></w:del></w:p>"
    )
    for xml in (field, changed):
        document.element.body.insert_element_before(parse_xml(xml.format(nsdecls("w"))), "w:sectPr")
    document.save(str(tmp_path / "a.docx"))
    assert [block.text for block in read(tmp_path / "a.docx")] == ["Ada Fennimore", "She keeps the lighthouse."]


def test_a_cell_of_two_lines_has_two_words(tmp_path):
    """The words on both sides of a line break in a cell were one."""
    (tmp_path / "a.html").write_text("<table><tr><td>Home<td>14 Weaver Lane<br>Ekoluwa<tr><td>One<td>two</table>")
    assert [block.text for block in read(tmp_path / "a.html")] == ["Home: 14 Weaver Lane Ekoluwa", "One: two"]


def test_a_long_html_page_is_read_in_time_that_grows_with_its_length(tmp_path):
    """Six megabytes took more than six minutes."""
    (tmp_path / "a.html").write_text("<p>She keeps the <b>lighthouse</b> at <i>Ostermoor</i>.</p>\n" * 20_000)
    before = time.process_time()
    assert {block.text for block in read(tmp_path / "a.html")} == {"She keeps the lighthouse at Ostermoor."}
    assert time.process_time() - before < 10


def test_lines_that_a_margin_broke_are_put_together():
    page = (
        "Ada Fennimore\nAda Fennimore keeps the lighthouse at Oster-\nmoor, which stands on the northern pier of the\n"
        "harbour.\nPhone: 555-0112 or in the evening 555-0113\nBorn: 1950"
    )
    assert [" ".join(each.split()) for each in paragraphs(page) if each] == [
        "Ada Fennimore", "Ada Fennimore keeps the lighthouse at Ostermoor, which stands on the northern pier of the "
        "harbour.", "Phone: 555-0112 or in the evening 555-0113", "Born: 1950",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", "<p>Ada Fenni&shy;more keeps the light\u200bhouse.</p>"),
        ("a.md", "\ufeff\ufeffAda Fenni\u00admore keeps the lighthouse.\u200b"),
        ("a.txt", "Ada Fenni\u00ad\nmore keeps the lighthouse."),
    ],
)
def test_signs_that_are_not_seen_divide_no_word(tmp_path, name, text):
    """A name with a soft hyphen in it was nobody's."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [block.text for block in read(tmp_path / name)] == ["Ada Fennimore keeps the lighthouse."]


def test_lines_of_a_mail_that_is_answered_are_read_without_their_marks(tmp_path):
    (tmp_path / "a.txt").write_text("Thank you.\n\n> She owes money to\n> the bank.\n>\n>> Ada lives in Varby.\n")
    assert [block.text for block in read(tmp_path / "a.txt")] == [
        "Thank you.", "She owes money to the bank.", "Ada lives in Varby."
    ]  # fmt: skip


def test_marks_of_notes_do_not_make_one_sentence_of_two(tmp_path):
    page = "<p>Ada won the medal in 1999.<sup>[2]</sup> She studied in Varby.[3][14] Her f[1] is 5.[a]"
    (tmp_path / "a.html").write_text(page)
    assert [b.text for b in read(tmp_path / "a.html")] == [
        "Ada won the medal in 1999. She studied in Varby. Her f[1] is 5.[a]"
    ]


def test_a_sentence_that_goes_on_on_the_next_page_is_one(tmp_path):
    save(["She keeps the lighthouse", "\f", "at Ostermoor."], tmp_path / "a.pdf")
    assert [(b.place, b.text) for b in read(tmp_path / "a.pdf")] == [
        ("page 1", "She keeps the lighthouse at Ostermoor.")
    ]


def test_two_documents_of_one_name_are_told_apart(tmp_path):
    for name in ("x/a.txt", "y/a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("One.")
    assert [block.document for block in read(tmp_path)] == ["b.txt", "x/a.txt", "y/a.txt"]


def test_files_folders_and_patterns(tmp_path):
    (tmp_path / "in/deeper").mkdir(parents=True)
    for name in ("a.txt", "in/b.txt", "in/deeper/c.md", "in/d.jpg", "in/.hidden.txt"):
        (tmp_path / name).write_text("One.")
    assert [file.name for file in find_documents([tmp_path / "a.txt", tmp_path / "in"], KEY)] == [
        "a.txt", "b.txt", "c.md",
    ]  # fmt: skip
    assert [file.name for file in find_documents([tmp_path / "**/*.txt"], KEY)] == ["a.txt", "b.txt"]


@pytest.mark.parametrize("plain", [True, False])
def test_what_is_hidden_in_a_folder_is_not_meant(plain, tmp_path):
    """The hooks of git and the packages of an environment were forgotten with the text; Word locks files like this."""
    for name in (".git/hooks/a.txt", "in/.venv/README.md", "in/~$letter.docx", "in/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("One.")
    assert find_documents([tmp_path], KEY, plain) == [tmp_path / "in/a.txt"]
    assert find_documents([tmp_path / "in/*.*"], KEY, plain) == [tmp_path / "in/a.txt"]
    assert find_documents([tmp_path / ".git"], KEY, plain) == [tmp_path / ".git/hooks/a.txt"]


def test_documents_on_two_drives_of_windows_are_told_apart(monkeypatch):
    paths = [PureWindowsPath(path) for path in ("C:/x/a.txt", "D:/x/a.txt", "D:/b.txt")]
    with monkeypatch.context() as windows:
        windows.setattr("os.path.commonpath", ntpath.commonpath)
        found = labels(paths)
    assert list(found.values()) == ["C:/x/a.txt", "D:/x/a.txt", "b.txt"]


def test_letters_are_composed_as_models_write_them(tmp_path):
    """Questions asked for a name with an accent of its own, which is another name to a model."""
    (tmp_path / "a.txt").write_text("Zoe\u0308 lived in Ko\u0308ln.", encoding="utf-8")
    assert [block.text for block in read(tmp_path / "a.txt")] == ["Zo\u00eb lived in K\u00f6ln."]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(encoding, tmp_path):
    text = "Zoë Müller lived in Köln for years – “a long time”, as she said – and then moved to Málaga with François."
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert [block.text for block in read(tmp_path / "a.txt")] == [text]


@pytest.mark.parametrize(
    "text", ["Favourite dish: crème brûlée à la façon de Zürich.", "Ana Núñez has a house.", "Søren lives in Århus.",
             "She lives near a café."]
)  # fmt: skip
def test_an_english_page_with_some_western_names_is_read_as_the_usual_old_encoding(text, tmp_path, capsys):
    """It was read as that of a Baltic DOS: `crĶme br¹lķe`; with one letter of the kind it still was: the guess
    names one of several encodings that read it alike."""
    path = tmp_path / f"{text.split()[0]}.txt"
    path.write_bytes(f"{' '.join(PAGE[1:3])} {text}".encode("latin-1"))
    assert read(path)[0].text.endswith(text)
    assert f"{path.name} is not UTF-8: it is read as cp1252" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("encoding", "head"), [("utf-8", ""), ("utf-16", ""), ("cp1251", '<meta charset="windows-1251">'), ("cp1251", "")]
)
def test_the_encoding_of_an_html_page_is_as_it_says_or_that_of_a_text(encoding, head, tmp_path):
    """UTF-8 that was not named was guessed, mostly as cp1252: Zoë was `ZoÃ«`."""
    russian = "Анна Петрова живёт в Москве на улице Ленина."
    text = "Ada Fennimore lives with Zoë." if encoding.startswith("utf") else russian
    (tmp_path / "a.html").write_bytes(f"{head}<p>{text}</p>".encode(encoding))
    assert [block.text for block in read(tmp_path / "a.html")] == [text]


def test_a_text_in_another_script_is_read_in_its_encoding(tmp_path):
    text = "Анна Петрова живёт в Москве на улице Ленина. Её сын учится в школе."
    (tmp_path / "a.txt").write_bytes(text.encode("cp1251"))
    assert [block.text for block in read(tmp_path / "a.txt")] == [text]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"", "a.txt is empty"),
        ("a.txt", b" \n\n", "a.txt has no text; leave it out"),
        ("a.txt", bytes(range(256)) * 40, "a.txt holds no text but binary data"),
        ("a.txt", b"Ada \x00\x01\x02\x03 lives." * 40, "a.txt holds no text but binary data"),
        ("a.txt", b"Ada lives at the harbour. " * 2_000_000, "a.txt is longer than 5,000,000 characters.*the part"),
        ("a.pdf", b"%PDF-1.7 and no more", "a.pdf is no PDF file or is broken"),
        ("a.docx", b"PK and no more", "a.docx is no DOCX file or is broken"),
        ("a.docx", document_formats.OLD_OFFICE * 4, "a.docx is encrypted, or a .doc"),
        ("a.html", b"<p></p>", "a.html has no text"),
        ("a.doc", b"x", "a.doc is not a format that is read here; allowed: .txt, .md"),
        ("a.csv", b"x", "a.csv is not a format .* of these, or name a table of questions as data.forget.path"),
        ("", b"", r"there is no file .*gone\.txt; correct the path"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(name, content, told, tmp_path):
    path = tmp_path / (name or "gone.txt")
    if name:
        path.write_bytes(content)
    assert len(content) != 26 * 2_000_000 or len(content) > 50_000_000 > MOST
    with pytest.raises(RecipeError, match=f"(?s){KEY}: .*{told}"):
        read(path)


@pytest.mark.parametrize("body", [b"<w:document", b"<x/>", b"<w:t>" * 400 + b"</w:t>" * 400])
def test_a_docx_file_that_is_broken_inside_is_told_of(body, tmp_path):
    """It ended in a traceback."""
    save(PAGE, tmp_path / "whole.docx")
    with ZipFile(tmp_path / "whole.docx") as whole, ZipFile(tmp_path / "a.docx", "w") as broken:
        for name in whole.namelist():
            broken.writestr(name, body if name == "word/document.xml" else whole.read(name))
    with pytest.raises(RecipeError, match="a.docx is no DOCX file or is broken"):
        read(tmp_path / "a.docx")


def test_a_folder_without_documents_is_told_of_as_a_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.jpg").write_bytes(b"x")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(RecipeError, match="no document in the folder .*pictures; allowed: .txt.*name another"):
        read(tmp_path / "pictures")
    with pytest.raises(RecipeError, match="no document in the folder .*nothing; allowed"):
        read(tmp_path / "nothing")


def test_every_bad_document_is_told_at_once(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(RecipeError) as error:
        read(tmp_path)
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("algorithm", ENCRYPTIONS)
def test_an_encrypted_pdf_is_read_only_where_it_needs_no_password(algorithm, tmp_path):
    plain = save(PAGE, tmp_path / "page.pdf")
    with pytest.raises(RecipeError, match="locked.pdf is encrypted; save it without a password"):
        read(encrypt(plain, tmp_path / "locked.pdf", "secret", algorithm))
    opened = read(encrypt(plain, tmp_path / "open.pdf", "", algorithm))
    assert [block.text for block in opened] == [block.text for block in read(plain)]


def test_a_long_document_says_how_far_it_is(tmp_path, capsys, monkeypatch):
    pages = [text for n in range(1, 10) for text in (f"Page {n}.", "\f")][:-1]
    file = save(pages, tmp_path / "long.pdf")
    read_documents([file], "data.forget.documents")
    assert capsys.readouterr().err == "", "quick ones say nothing"
    clock = iter(range(0, 1000, 10))  # ten seconds a page
    monkeypatch.setattr("relearn_lite.data.documents.time.monotonic", lambda: next(clock))
    copy = save(pages, tmp_path / "copy.pdf")
    read_documents([copy], "data.forget.documents")
    assert capsys.readouterr().err.splitlines() == [f"reading copy.pdf: page {n} ..." for n in (1, 5, 9)]


def test_a_scan_is_told_of(tmp_path, capsys):
    with pytest.raises(RecipeError, match="scan.pdf has no text; its pages are pictures.*OCR"):
        read(picture_pdf([], tmp_path / "scan.pdf"))
    assert [block.text for block in read(picture_pdf(["One is here."], tmp_path / "half.pdf"))] == ["One is here."]
    assert "half.pdf has no text on 1 of 2 pages (first: page 2)" in capsys.readouterr().err


@pytest.mark.parametrize(("form", "package"), [("pdf", "pypdf"), ("docx", "python-docx"), ("html", "beautifulsoup4")])
def test_a_package_that_is_missing_is_named(form, package, tmp_path, monkeypatch):
    path = save(PAGE, tmp_path / f"page.{form}")
    real = document_formats.import_module

    def without(name):
        if name in ("pypdf", "docx", "bs4"):
            raise ModuleNotFoundError(name)
        return real(name)

    monkeypatch.setattr(document_formats, "import_module", without)
    with pytest.raises(RecipeError, match=f"{package}, which is not installed: pip install -r requirements-documents"):
        read(path)


PROSE = [
    ["Ada keeps the lighthouse, and every evening at six she", "lights the lamp. In the morning she writes a letter"],
    ["to her brother, who lives at the other harbour, and", "reads his. On Sundays both of them walk to the old"],
    ["chapel on the hill, from which one sees all of the", "islands. In the winter nobody comes there but them"],
]


@pytest.mark.parametrize(
    ("header", "footer", "kept"),
    [
        ("The Archive, volume 3", "Page {n} of 4", "The Archive, volume 3"),
        ("", "- {n} -", ""),
        ("Ada Fennimore, {n}", "Printed for Bo Lind", "Ada Fennimore, 1 Printed for Bo Lind"),
    ],
)
def test_what_runs_along_the_edges_of_pages_is_part_of_no_sentence(header, footer, kept, tmp_path):
    """Headers and page numbers stood in the sentences that a page's end cut in two."""
    pages = [[header.format(n=n), *lines, footer.format(n=n)] for n, lines in enumerate(PROSE, 1)]
    texts = [text for page in pages for text in ("\f", *filter(None, page))][1:]
    said = " ".join(block.text for block in read(save(texts, tmp_path / "a.pdf")))
    assert said == " ".join(filter(None, [kept, *(line for lines in PROSE for line in lines)]))


def test_what_pages_say_alike_in_other_numbers_is_not_taken_for_a_running_line(tmp_path):
    pages = [f"Phone: 555-01{n}" for n in ("12", "71", "33")]
    texts = [text for page in pages for text in ("\f", page, "Born: 1950")][1:]
    assert [block.text for block in read(save(texts, tmp_path / "a.pdf")) if "Phone" in block.text] == pages


def test_a_short_line_that_ends_in_the_midst_of_a_sentence_goes_on():
    """A sentence was cut in two where a long word had left its line short."""
    page = "She keeps the lighthouse of Ostermoor, a tower\nthat was built in\n2016. It stands on the northern pier."
    assert [" ".join(each.split()) for each in paragraphs(page) if each] == [" ".join(page.split())]
