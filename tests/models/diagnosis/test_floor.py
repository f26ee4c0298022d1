"""The floor judges descriptions: right where they are plain, not at all where there is nothing to judge."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.diagnosis.floor import FloorClassifier, floor_of
from models.diagnosis.floor.concepts import CONCEPTS, concepts_in
from models.diagnosis.floor.reading import LONGEST_TEXT, read
from models.diagnosis.floor.terms import terms_of
from models.diagnosis.floor.weighting import Vocabulary

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def floor() -> FloorClassifier:
    return floor_of(_ROOT / ".pytest_cache" / "models")


def likeliest(floor: FloorClassifier, text: str) -> str:
    """The condition that is answered; nothing where the floor abstains."""
    (row,) = floor.probabilities([text])
    return floor.labels[row.argmax()] if row.max() >= floor.threshold else "nothing"


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("itchy red patches with silvery scales on my elbows", "psoriasis"),
        ("It burns when I pee and I need to go every ten minutes, only a few drops come.", "urinary tract infection"),
        ("it brns wen i peee an i hav to go al the time, smells foul to", "urinary tract infection"),
        ("Throbbing pain on one side of my head, light and noise make it worse and I threw up twice.", "migraine"),
        ("The whites of my eyes have gone yellow and my urine is like strong tea.", "jaundice"),
        (
            "Sour burning behind my breastbone after big meals, worse when I lie down.",
            "gastroesophageal reflux disease",
        ),
        ("Bright red blood on the toilet paper and a soft lump at my bottom that itches.", "haemorrhoids"),
        ("I keep wheezing at night and my chest gets tight in cold air, the puffer helps.", "bronchial asthma"),
    ],
)
def test_a_plain_description_is_told(floor: FloorClassifier, text: str, condition: str) -> None:
    assert likeliest(floor, text) == condition


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "thanks, see you tomorrow",
        "How do I reset my password on the new laptop?",
        "",
        "🙂🙂",
        "12345",
        "Rolled my ankle on the stairs, now it is thick and blue on the outside.",
    ],
)
def test_what_describes_no_condition_is_not_judged(floor: FloorClassifier, text: str) -> None:
    assert likeliest(floor, text) == "nothing"


def test_what_is_denied_does_not_speak_for_a_condition(floor: FloorClassifier) -> None:
    said, denied = floor.probabilities(["I have a fever and chills", "I have no fever or chills"])
    assert denied[floor.labels.index("malaria")] < said[floor.labels.index("malaria")]


def test_two_ways_to_say_the_same_are_judged_alike(floor: FloorClassifier) -> None:
    lay, learned = floor.probabilities(["It hurts when I pee", "It hurts when I urinate"])
    place = floor.labels.index("urinary tract infection")
    assert min(lay[place], learned[place]) > 0.5


def test_texts_are_judged_one_by_one_as_together(floor: FloorClassifier) -> None:
    texts = ["itchy scalp", "", "a very long cough " * 50]
    together = floor.probabilities(texts)
    assert np.array_equal(together, np.vstack([floor.probabilities([text]) for text in texts]))
    assert together.shape == (3, len(floor.labels))
    assert floor.probabilities([]).shape == (0, len(floor.labels))


@given(st.text(max_size=300))
def test_any_text_gives_probabilities(floor: FloorClassifier, text: str) -> None:
    (row,) = floor.probabilities([text])
    assert (row >= 0).all()
    assert row.sum() <= 1 + 1e-9


def test_of_a_text_without_end_the_beginning_is_read(floor: FloorClassifier) -> None:
    text = "my knees ache in the morning and " * 1_000
    assert len(text) > LONGEST_TEXT
    assert read(text) == read(text[:LONGEST_TEXT])
    assert np.isfinite(floor.probabilities([text, "x" * 100_000, "痛" * 100_000])).all()


def test_the_weights_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["my nose runs and runs and runs", "my nose itches", "she runs", "and my eyes itch so much", "痛"]
    ours = Vocabulary.of(texts, 100)
    theirs = TfidfVectorizer(sublinear_tf=True, analyzer=lambda text: terms_of(text)[0], min_df=2)
    expected = theirs.fit_transform(texts).toarray()
    terms = ours.kinds[0].terms
    rows = ours.rows(texts)
    for place, (start, end) in enumerate(pairwise(rows.starts.tolist())):
        weights = dict(zip(rows.numbers[start:end].tolist(), rows.weights[start:end].tolist(), strict=True))
        stems = {terms[number]: weight for number, weight in weights.items() if number < len(terms)}
        told = {term: expected[place, column] for term, column in theirs.vocabulary_.items() if expected[place, column]}
        assert stems == pytest.approx(told)


def test_a_denial_ends_with_the_clause_or_at_a_turn() -> None:
    reading = read("No fever or chills, but a cough. I don’t vomit and can't sleep")
    denied = [word for word, no in zip(reading.words, reading.denied, strict=True) if no]
    assert denied == ["fever", "or", "chills", "vomit", "and", "can't", "sleep"]


def test_words_are_read_without_case_and_accents() -> None:
    assert read("Fièvre, CAFÉ").words == ["fievre", "cafe"]
    assert read("It’s here").words == ["it's", "here"]


def test_a_phrase_of_several_words_is_one_concept() -> None:
    assert "breathless" in concepts_in(("short", "of", "breath"), [False] * 3)
    assert "not breathless" in concepts_in(("short", "of", "breath"), [True] * 3)


def test_stems_pieces_and_concepts_are_counted_and_pieces_of_what_is_denied_are_not() -> None:
    stems, pieces, concepts = terms_of("no itching at all, only a cough")
    assert {"not itch", "cough"} <= set(stems)
    assert "coug" in (found := set(pieces))
    assert "itch" not in found
    assert {"not itch", "cough", "cough&not itch"} <= set(concepts)


def test_the_table_of_concepts_is_in_order() -> None:
    text = CONCEPTS.read_text(encoding="utf-8")
    concepts = [line.partition(": ")[0] for line in text.splitlines() if not line.startswith("    ")]
    assert concepts == sorted(set(concepts))
    for line in text.replace("\n    ", " ").splitlines():
        phrases = line.partition(": ")[2].split(", ")
        assert phrases == sorted(set(phrases)), line
        assert all(read(phrase).words == phrase.split() for phrase in phrases), line


def test_judging_needs_neither_scikit_learn_nor_torch(floor: FloorClassifier, tmp_path: Path) -> None:
    from models.diagnosis.floor import save_floor

    save_floor(floor, tmp_path)
    code = (
        "import sys; from pathlib import Path; from models.diagnosis.floor import load_floor\n"
        "load_floor(Path(sys.argv[1])).probabilities(['my knees ache'])\n"
        "print({'sklearn', 'scipy', 'torch', 'transformers', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=_ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
