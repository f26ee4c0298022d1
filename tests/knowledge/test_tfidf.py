"""The TF-IDF index: what is found, in which order, and that it survives being saved."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import DamagedIndexError
from knowledge.index.tfidf import Fields, Match, TfidfIndex, TfidfOptions

PHYSICS = [
    Fields("Newton's first law", "A body stays at rest or in uniform motion unless a force acts on it."),
    Fields("Newton's second law", "The acceleration of a body is the net force on it divided by its mass."),
    Fields("Newton's third law", "To every action there is an equal and opposite reaction."),
    Fields("First law of thermodynamics", "Heat and work change the internal energy of a system."),
    Fields("Ohm's law", "The current through a conductor is the voltage divided by the resistance."),
    Fields("Capacitor", "Two conductors that hold opposite charge store energy.", ("electricity",)),
    Fields("", "Entropy never falls in an isolated system."),
    Fields("Who was who", "What it is and what it was."),
]


@pytest.fixture(scope="module")
def index() -> TfidfIndex:
    return TfidfIndex.fit(PHYSICS)


def titles(found: list[Match]) -> list[str]:
    return [PHYSICS[match.document].title for match in found]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is Newton's first law?", "Newton's first law"),
        ("what's the third law of newton", "Newton's third law"),
        ("first law of thermodynamics?", "First law of thermodynamics"),
        ("CAPACITORS", "Capacitor"),
        ("how are accelerations and masses related", "Newton's second law"),
        ("electricity", "Capacitor"),
    ],
)
def test_the_passage_asked_for_comes_first(index: TfidfIndex, question: str, title: str) -> None:
    assert titles(index.search(question))[0] == title


def test_a_follow_up_is_understood_from_the_turn_before(index: TfidfIndex) -> None:
    assert titles(index.search("and the third one?", context=["What is Newton's first law?"]))[0] == (
        "Newton's third law"
    )


def test_the_latest_turn_counts_most(index: TfidfIndex) -> None:
    turns = ["What is a capacitor?", "What is entropy?"]
    assert index.search("tell me more", context=turns)[0].document == 6
    assert index.search("tell me more", context=turns[::-1])[0].document == 5


def test_earlier_turns_weigh_less_than_the_question(index: TfidfIndex) -> None:
    assert index.search("entropy", context=["capacitor"])[0].document == 6


def test_a_word_in_the_title_weighs_more_than_in_the_body() -> None:
    found = TfidfIndex.fit([Fields("lens", "a prism bends light"), Fields("prism", "a lens bends light")])
    assert [match.document for match in found.search("prism")] == [1, 0]


def test_a_misspelt_word_is_looked_up_as_the_nearest_one(index: TfidfIndex) -> None:
    best = index.search("What is entorpy?")[0]
    assert best.document == 6
    assert [(term.query_word, term.term) for term in best.terms] == [("entorpy", "entropi")]
    assert best.coverage < index.search("What is entropy?")[0].coverage == 1.0


def test_a_mistyped_function_word_is_passed_over_unless_the_collection_holds_it(index: TfidfIndex) -> None:
    for question in ("waht is entropy", "Expalin teh entropy", "desribe entropy"):
        best = index.search(question)[0]
        assert (best.document, best.coverage) == (6, 1.0)
    forms = TfidfIndex.fit([Fields("", "Fill in this form."), Fields("", "Letters come from afar.")])
    assert [(match.document, match.coverage) for match in forms.search("form")] == [(0, 1.0)]


def test_words_found_stand_in_the_order_of_the_question_and_count_once_at_their_best(index: TfidfIndex) -> None:
    first = index.search("heat system", context=["system and heat"])[0]
    assert [term.query_word for term in first.terms] == ["heat", "system"]
    assert index.search("entorpy entropy")[0].score == index.search("entropy")[0].score


def test_a_word_that_is_known_is_not_corrected(index: TfidfIndex) -> None:
    assert {term.term for match in index.search("action") for term in match.terms} == {"action"}


def test_the_words_found_are_told_with_their_weights(index: TfidfIndex) -> None:
    best = index.search("Which Law did NEWTON find third?")[0]
    assert [term.query_word for term in best.terms] == ["Law", "NEWTON", "third"]
    assert best.score == pytest.approx(sum(term.weight for term in best.terms))


def test_unknown_words_lower_the_coverage(index: TfidfIndex) -> None:
    whole, half = index.search("resistance")[0], index.search("resistance xylophone")[0]
    assert whole.document == half.document == 4
    assert whole.coverage == 1.0
    assert half.coverage == pytest.approx(0.5, abs=0.1)


def test_function_words_do_not_change_the_coverage(index: TfidfIndex) -> None:
    assert index.search("what would the resistance be?")[0].coverage == 1.0


def test_a_question_of_function_words_alone_is_looked_up_as_it_stands(index: TfidfIndex) -> None:
    assert titles(index.search("who was who"))[0] == "Who was who"


def test_equal_scores_stand_in_the_order_of_the_documents() -> None:
    same = TfidfIndex.fit([Fields("", "wave and particle")] * 30)
    assert [match.document for match in same.search("particle", 5)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("question", ["", " \n\t", "?!… ---", "😀🎉", "\x00\x1b[31m", "\ud800", "xyzzyx"])
def test_a_question_without_a_known_word_finds_nothing(index: TfidfIndex, question: str) -> None:
    assert index.search(question) == []


@pytest.mark.parametrize("limit", [0, -1])
def test_no_documents_wanted_means_none_found(index: TfidfIndex, limit: int) -> None:
    assert index.search("newton", limit) == []


def test_at_most_as_many_documents_are_found_as_wanted(index: TfidfIndex) -> None:
    assert len(index.search("law", 2)) == 2
    assert len(index.search("law", 100)) == 5


def test_an_endless_question_is_answered(index: TfidfIndex) -> None:
    many = " ".join(f"word{number}" for number in range(15_000))
    assert index.search("entropy " + many)[0].document == 6
    assert index.search("x" * 100_000) == []


@pytest.mark.parametrize("documents", [[], [Fields("", "")], [Fields("?", "…", ("!",))] * 3])
def test_documents_without_words_can_be_indexed(documents: list[Fields], tmp_path: Path) -> None:
    empty = TfidfIndex.fit(documents)
    empty.save(tmp_path)
    for index in (empty, TfidfIndex.open(tmp_path)):
        assert len(index) == len(documents)
        assert index.search("newton's law") == []


words = st.sampled_from(
    ["what", "is", "the", "first", "law", "newton", "entropy", "entorpy", "xyz", "?", "\ud800", "é"]
)


@given(st.lists(words, max_size=12).map(" ".join), st.lists(words.map(str.title), max_size=3), st.integers(1, 9))
def test_every_result_is_in_order_and_in_range(question: str, context: list[str], limit: int) -> None:
    found = TfidfIndex.fit(PHYSICS).search(question, limit, context)
    assert len(found) <= limit
    assert found == sorted(found, key=lambda match: (-match.score, match.document))
    for match in found:
        assert match.score > 0
        assert 0 <= match.coverage <= 1
        assert match.score == pytest.approx(sum(term.weight for term in match.terms))


def test_a_saved_index_answers_as_the_fitted_one(index: TfidfIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    opened = TfidfIndex.open(tmp_path)
    assert len(opened) == len(PHYSICS)
    for question in ("newton's first law", "who was who", "entorpy", "opposite charge or reaction", "zzz"):
        assert opened.search(question) == index.search(question)


def test_options_are_kept_with_the_index(tmp_path: Path) -> None:
    options = TfidfOptions(title_weight=1, saturation=1.2)
    TfidfIndex.fit(PHYSICS, options).save(tmp_path)
    assert TfidfIndex.open(tmp_path).options == options


def test_a_saved_index_holds_arrays_and_json_only(index: TfidfIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    for path in tmp_path.iterdir():
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        else:
            json.loads(path.read_text(encoding="utf-8"))


def every_file(index: TfidfIndex, folder: Path) -> list[Path]:
    index.save(folder)
    return sorted(folder.iterdir())


def test_a_missing_file_is_named(index: TfidfIndex, tmp_path: Path) -> None:
    for path in every_file(index, tmp_path):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(DamagedIndexError, match=path.name):
            TfidfIndex.open(tmp_path)
        path.write_bytes(content)


def test_a_file_cut_short_is_named(index: TfidfIndex, tmp_path: Path) -> None:
    for path in every_file(index, tmp_path):
        content = path.read_bytes()
        for length in (0, 5, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            with pytest.raises(DamagedIndexError, match=path.name):
                TfidfIndex.open(tmp_path)
        path.write_bytes(content)


def test_a_changed_byte_is_noticed_and_its_file_named(index: TfidfIndex, tmp_path: Path) -> None:
    for path in every_file(index, tmp_path):
        if path.suffix != ".npy":
            continue
        content = bytearray(path.read_bytes())
        content[-1] ^= 0x40
        path.write_bytes(content)
        with pytest.raises(DamagedIndexError, match=path.name):
            TfidfIndex.open(tmp_path)
        content[-1] ^= 0x40
        path.write_bytes(content)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"notes": [], "files": {}}', "[" * 100_000, "\udcff", '{"notes": {}, "files": {}}']
)
def test_a_manifest_that_is_not_ours_is_named(index: TfidfIndex, tmp_path: Path, text: str) -> None:
    index.save(tmp_path)
    (tmp_path / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DamagedIndexError):
        TfidfIndex.open(tmp_path)


@pytest.mark.parametrize(
    ("note", "value"), [("layout", 0), ("rows", None), ("rows", "many"), ("options", {"colour": "red"})]
)
def test_a_note_that_does_not_fit_is_noticed(index: TfidfIndex, tmp_path: Path, note: str, value: object) -> None:
    index.save(tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["notes"][note] = value
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(DamagedIndexError, match="manifest"):
        TfidfIndex.open(tmp_path)


def test_threads_share_one_index(index: TfidfIndex) -> None:
    questions = ["newton's third law", "heat and work", "entorpy", "opposite", "divided by mass"] * 40
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(index.search, questions)) == [index.search(question) for question in questions]


def test_opening_and_searching_import_neither_scikit_learn_nor_scipy(index: TfidfIndex, tmp_path: Path) -> None:
    index.save(tmp_path)
    script = (
        "import sys, pathlib; from knowledge.index.tfidf import TfidfIndex;"
        f"found = TfidfIndex.open(pathlib.Path({str(tmp_path)!r})).search('entorpy');"
        "print(found[0].document, [name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "6 []"
