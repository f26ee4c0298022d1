import codecs
import contextlib
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diagnosis.data.reading import LabelledFile, key, read_labelled, read_no_match, require_labels
from models.diagnosis.starter import NOT_A_MATCH, SYMPTOMS
from models.errors import TrainingError

ROWS = (("psoriasis", "silvery scales"), ("common cold", "a runny nose"), ("migraine", "throbbing, one side"))


def written(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(folder: Path, content: str | bytes, **columns: str) -> LabelledFile:
    return read_labelled(written(folder, content), **columns)


def refusal(path: Path, **columns: str) -> str:
    with pytest.raises(TrainingError) as refused:
        require_labels(read_labelled(path, **columns))
    assert refused.value.fix
    return str(refused.value)


def rows_of(file: LabelledFile) -> tuple[tuple[str, str], ...]:
    return tuple(zip(file.texts.labels, file.texts.texts, strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [delimiter.join(("label", "text"))]
    lines += [delimiter.join((label, f'"{text}"')) for label, text in ROWS]
    file = read(tmp_path, "\n".join(lines))
    assert rows_of(file) == ROWS
    assert file.lines == (2, 3, 4)


def test_columns_are_found_by_their_usual_names_wherever_they_stand(tmp_path: Path) -> None:
    file = read(tmp_path, "id,Symptoms,age,Disease\n1,silvery scales,30,psoriasis\n2,a runny nose,40,common cold\n")
    assert (file.text_column, file.label_column) == ("Symptoms", "Disease")
    assert rows_of(file) == ROWS[:2]


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    content = "what,told\npsoriasis,silvery scales\ncommon cold,a runny nose\n"
    assert rows_of(read(tmp_path, content, text_column="told", label_column="what")) == ROWS[:2]


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    lines = "\n\n".join(json.dumps({"text": text, "label": label, "age": 3}) for label, text in ROWS)
    assert rows_of(read(tmp_path, lines)) == ROWS


def test_the_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    content = b"label,text\r\na,one\r\nb,two\r\n"
    file = read(tmp_path, content)
    assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_texts_with_line_feeds_quotes_and_delimiters_come_whole(tmp_path: Path) -> None:
    file = read(tmp_path, 'label,text\na,"one,\n\n""two"""\n\nb,three\n')
    assert rows_of(file) == (("a", 'one, "two"'), ("b", "three"))
    assert file.lines == (2, 6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    content = "label,text\nMénière’s,tête qui tourne\ncold,nose\n".encode(encoding)
    assert rows_of(read(tmp_path, content)) == (("Ménière’s", "tête qui tourne"), ("cold", "nose"))


def test_utf_16_of_the_other_byte_order_is_read(tmp_path: Path) -> None:
    content = codecs.BOM_UTF16_BE + "label,text\na,é\nb,ö\n".encode("utf-16-be")
    assert rows_of(read(tmp_path, content)) == (("a", "é"), ("b", "ö"))


def test_mixed_encodings_are_read_line_by_line_and_counted(tmp_path: Path) -> None:
    file = read(tmp_path, b"label,text\na,caf\xc3\xa9\nb,caf\xe9\nb,tea \x96 mint\n")
    assert rows_of(file) == (("a", "café"), ("b", "café"), ("b", "tea – mint"))
    assert file.not_utf8 == 2


def test_empty_texts_and_labels_and_repeated_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    file = read(tmp_path, 'label,text\na,One  two\na,\nb,"  "\n,three\na,one TWO\nb,four\nb,one two\nc\n')
    assert rows_of(file) == (("a", "One two"), ("b", "four"), ("b", "one two"))
    assert (file.empty, file.unlabelled, file.duplicates, file.contradictory) == (3, 1, 1, 1)


def test_labels_keep_their_emoji_commas_and_markup(tmp_path: Path) -> None:
    file = read(tmp_path, 'label,text\n🤧 cold,one\n"flu, bad",two\n<b>x</b> & y,three\n')
    assert file.texts.conditions == ("<b>x</b> & y", "flu, bad", "🤧 cold")


def test_one_label_written_in_two_ways_of_unicode_is_one(tmp_path: Path) -> None:
    file = read(tmp_path, "label,text\nMénière,one\nMe\u0301nie\u0300re,two\n")
    assert file.texts.conditions == ("Ménière",)


def test_the_starter_data_are_read_whole() -> None:
    file = read_labelled(SYMPTOMS)
    require_labels(file)
    assert len(file.texts.conditions) == 24
    assert (file.empty, file.unlabelled, file.duplicates, file.contradictory, file.not_utf8) == (0, 0, 0, 0, 0)
    assert len(read_no_match(NOT_A_MATCH)) >= 400


def test_a_hundred_thousand_rows_are_read_and_told_of(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    lines = "".join(f"label {row % 50},description number {row} of many\n" for row in range(100_000))
    file = read_labelled(written(tmp_path, "label,text\n" + lines), told=lambda *news: told.append(news))
    assert len(file.texts.texts) == 100_000
    assert len(told) > 20
    assert told == sorted(told)
    assert told[-1] == (file.size, file.size)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n \n", "is empty"),
        (b"\xff\xfe", "is empty"),
        ("\u00a0\n".encode(), "is empty"),
        (b"a,b\nx,y\n", 'no column of labels; line 1 names "a", "b"'),
        (b"flu,I am so very hot\n", 'no column of labels; line 1 names "flu", a sentence.'),
        (b"label,text\rx,one\ry,two\r", "line 1: there is a carriage return in it without a line feed"),
        (b"label,text\nx,one\rtwo\n", "line 2: there is a carriage return in it without a line feed"),
        (b"label,text," + b"x" * 140_000 + b"\n", "line 1: a field has more than 131,072 characters"),
        (b"label,text\nx," + b"word " * 30_000 + b"\n", "line 2: a field has more than 131,072 characters"),
        (b"label,b\nx,y\n", "--text-column"),
        (b"label,text\n", "holds no labelled text"),
        (b"label,text\nx,\ny,\n", "holds no labelled text"),
        (b"label,text\nx,one\nx,two\n", 'column "label" holds one label, "x"'),
        (b"label,text\nx,1\nx,2\nx,3\ny,1\n", '"y" (1, line 5)'),
        (b"label,text\nx,one, two\ny,three\n", "line 2 has 3 fields where the first line has 2"),
        (b'label,text\nx,"one\ny,two\n', "a double quote is opened in line 2 or soon after, and not closed"),
        (b"label,text\nx,on\0e\n", "is a binary file"),
        (b"label,text\n" + b"x,one\n" * 2_000 + b"y,\0\n", "line 2002: there is a NUL in it"),
        (b"label,text\nx,caf\x81\n", "line 2, byte 6 is neither UTF-8 nor Windows-1252"),
        (b"\xff\xfel\0a\0b", "breaks off"),
        (b"%PDF-1.7", "is a PDF"),
        (b'{"label": "x", "text": "y"}\nnothing', "line 2 is no JSON object"),
        (b'[{"label": "x", "text": "y"}]', "line 1 is no JSON object"),
        (b'{"label": ["x"], "text": "y"}', '"label" is no text'),
        (b"label,text\n" + b"x" * 1_100_000, "line 2 is longer than a megabyte"),
        (b"label,text\n" + b"y" * 201 + b",x\n", "line 2: a label has 201 characters"),
        (b"label,text\n" + b"".join(b"l%d,t\n" % row for row in range(501)), "501 different labels"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    sentence = refusal(written(tmp_path, content))
    assert said in sentence
    assert "data.csv" in sentence


def test_blank_lines_before_the_first_are_passed_over_however_many(tmp_path: Path) -> None:
    file = read_labelled(written(tmp_path, "\n" * 5_000 + "label,text\nx,one\n"))
    assert (file.texts.texts, file.lines) == (("one",), (5_002,))


def test_half_an_emoji_in_json_is_read_as_a_mark(tmp_path: Path) -> None:
    file = read_labelled(written(tmp_path, '{"label": "x \\ud83e", "text": "it itches \\ud83e\\udd2f \\ud83e"}\n'))
    assert (file.texts.labels, file.texts.texts) == (("x \ufffd",), ("it itches 🤯 \ufffd",))


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, "label,text\na,b\n")
    assert 'no column "told"; line 1 names "label", "text"' in refusal(path, text_column="told")
    assert "cannot hold labels and something else" in refusal(path, text_column="label", label_column="label")


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "nowhere.csv")
    assert "is a folder" in refusal(tmp_path)
    assert "cannot be read" in refusal(Path("a\0b"))


def test_a_workbook_is_named_with_the_way_out(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "is a workbook or another archive, not CSV. Save it as CSV" in refusal(
        written(tmp_path, packed.getvalue(), "data.xlsx")
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "label,text\na,b\n")
    path.chmod(0)
    assert "cannot be read: Permission denied" in refusal(path)


def test_no_refusal_repeats_a_text(tmp_path: Path) -> None:
    secret = "my private rash"
    path = written(tmp_path, f"label,text\nx,{secret}, and more\n")
    assert secret not in refusal(path)


def test_texts_that_match_nothing_are_read_once_each(tmp_path: Path) -> None:
    path = written(tmp_path, "kind,text\nchat,Hello there\nchat,hello  THERE\nchat,\nother,My dog limps\n")
    assert read_no_match(path) == ("hello THERE", "My dog limps")
    with pytest.raises(TrainingError, match="holds no text"):
        read_no_match(written(tmp_path, "text\n \n"))


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(text: str) -> None:
    assert key(key(text)) == key(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "data.csv"
    path.write_bytes(b"label,text\n" + content)
    with contextlib.suppress(TrainingError):
        assert read_labelled(path).texts.texts
