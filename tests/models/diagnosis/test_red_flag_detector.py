"""The detector of red flags: it catches what no rule thought of, in bounded time, and no rule depends on it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from models.diagnosis.contract import NO_MATCH, LabelledTexts, SymptomClassifier
from models.diagnosis.diagnosing import Diagnoser
from models.diagnosis.floor import load_floor, save_floor
from models.diagnosis.red_flags import RedFlags
from models.diagnosis.red_flags.detector import LONGEST, FlagDetector, counted, parts_of
from models.diagnosis.red_flags.detector_training import train_detector
from models.diagnosis.red_flags.rules import read_rules
from models.diagnosis.red_flags.starter_detector import detector_of, examples
from models.diagnosis.red_flags.watch import RedFlagWatch
from models.errors import ModelUnusableError, TrainingError

ROOT = Path(__file__).parents[3]
NAMES = {rule.flag.name for rule in read_rules().rules}


@pytest.fixture(scope="module")
def detector() -> FlagDetector:
    return detector_of(ROOT / ".pytest_cache" / "models")


@pytest.fixture(scope="module")
def learned(detector: FlagDetector) -> str:
    """An example that no rule raises a flag for, and that the detector has learned."""
    return next(text for text in _missed_by_rules() if len(parts_of(text)) == 1 and detector.of(text))


def _missed_by_rules() -> Iterator[str]:
    texts, rules = examples(), RedFlags()
    return (
        text
        for text, label in zip(texts.texts, texts.labels, strict=True)
        if label != NO_MATCH and 60 < len(text) < 150 and not rules.of(text)
    )


def missing() -> SymptomClassifier:
    raise ModelUnusableError("The model “mine” is damaged.", "Train it anew.")


def test_the_examples_are_of_all_flags_and_no_others() -> None:
    assert set(examples().conditions) == NAMES


def test_what_no_rule_thought_of_is_caught_and_called_by_a_flag_of_the_rules(
    detector: FlagDetector, learned: str
) -> None:
    watch = RedFlagWatch(lambda: detector)
    assert watch.of(learned) == ()
    watch.load()
    (flag,) = watch.of(learned)
    assert flag.name in NAMES
    assert "{emergency}" in flag.advice


def test_what_a_rule_raises_is_told_as_the_rule_has_it(detector: FlagDetector) -> None:
    watch = RedFlagWatch(lambda: detector)
    watch.load()
    text = "My chest hurts, I am sweating and my left arm is numb"
    assert watch.of(text) == RedFlags().of(text) != ()


def test_a_sign_buried_in_a_long_story_is_found(detector: FlagDetector) -> None:
    story = "We went to the market and bought some apples and a cake. " * 10
    buried = [text for text in _missed_by_rules() if detector.of(text)][:40]
    found = [text for text in buried if detector.of(f"{story}{text.rstrip('.')}. {story}")]
    assert len(found) >= 0.6 * len(buried)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "What are the signs of a stroke?",
        "red itchy patches with silvery scales on my elbows",
        "Nobody is unconscious here, we only practise.",
        "My printer died and my boss had a fit.",
    ],
)
def test_ordinary_texts_raise_nothing(detector: FlagDetector, text: str) -> None:
    assert detector.of(text) == ""


def test_what_is_past_asked_about_or_of_an_animal_does_not_count() -> None:
    assert "collapsed" not in counted("My uncle collapsed in 1998.")
    assert "collapsed" not in counted("My dog collapsed.")
    assert "seizure" not in counted("What is a seizure exactly?")
    assert "collapsed" in counted("My uncle collapsed just now.")
    assert counted("My uncle collapsed, he is grey") == "my uncle collapsed , he is gray"


def test_a_text_is_looked_at_whole_and_by_sentences_up_to_a_bound() -> None:
    assert parts_of("  ") == []
    assert parts_of("My head hurts badly.") == ["My head hurts badly."]
    both = "My head hurts badly. It came in a second!"
    assert parts_of(both) == [both, "My head hurts badly.", "It came in a second!"]
    many = parts_of("My head hurts badly. " * 2_000)
    assert sum(map(len, many)) <= LONGEST
    assert len(many) == 31


def test_twenty_thousand_characters_take_some_milliseconds(detector: FlagDetector, learned: str) -> None:
    for text in (f"{learned}. " * 400, "not " * 5_000, "a" * 20_000, ". " * 10_000, "chest pain. " * 2_000):
        detector.of(text[:20_000])
        start = time.process_time()
        detector.of(text[:20_000])
        # On an idle core it is some 10 ms.
        assert time.process_time() - start < 0.25


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_is_taken(detector: FlagDetector, text: str) -> None:
    assert detector.of(text) in NAMES | {""}


def test_without_a_detector_the_rules_watch_alone_and_the_log_says_so_once(learned: str) -> None:
    def damaged() -> FlagDetector:
        raise ModelUnusableError("The detector is damaged.", "Train it again.")

    watch = RedFlagWatch(damaged)
    with capture_logs() as logs:
        watch.load()
        watch.load()
        assert watch.of(learned) == ()
        assert [flag.name for flag in watch.of("I want to kill myself")] == ["Thoughts of suicide or self-harm"]
    assert [entry["event"] for entry in logs] == ["red flags are watched for by rules alone"]


def test_the_rules_do_not_wait_while_another_thread_loads_the_detector(detector: FlagDetector) -> None:
    entered, gate = threading.Event(), threading.Event()

    def slow() -> FlagDetector:
        entered.set()
        gate.wait(10)
        return detector

    watch = RedFlagWatch(slow)
    loading = threading.Thread(target=watch.load)
    loading.start()
    assert entered.wait(10)
    watch.load()
    assert watch.of("I can't breathe")
    gate.set()
    loading.join(10)


async def test_a_description_is_watched_by_both_even_when_no_classifier_can_be_loaded(
    detector: FlagDetector, learned: str
) -> None:
    diagnoser = Diagnoser(missing, detector=lambda: detector)
    assert diagnoser.red_flags(learned) == ()
    diagnosis = await asyncio.wait_for(diagnoser.predict(learned), 20)
    assert diagnosis.abstained
    assert len(diagnosis.red_flags) == 1
    assert diagnoser.red_flags(learned) == diagnosis.red_flags
    await diagnoser.close()


async def test_the_detector_is_loaded_ahead_for_those_who_cannot_wait(detector: FlagDetector, learned: str) -> None:
    diagnoser = Diagnoser(missing, detector=lambda: detector)
    await asyncio.wait_for(diagnoser.watch(), 20)
    assert diagnoser.red_flags(learned)
    await diagnoser.close()


SMALL = LabelledTexts(
    ("cannot breathe at all", "gasping for breath", "blood pours out", "bleeding will not stop", "a sunny day", "walks")
    * 3,
    ("Severe trouble breathing",) * 2 + ("Severe bleeding",) * 2 + (NO_MATCH,) * 2
    + (("Severe trouble breathing",) * 2 + ("Severe bleeding",) * 2 + (NO_MATCH,) * 2) * 2,
)  # fmt: skip


def test_a_kept_detector_says_the_same_and_one_of_other_data_is_not_taken(tmp_path: Path) -> None:
    trained = train_detector(SMALL)
    save_floor(trained.classifier, tmp_path, "print")
    kept = FlagDetector(load_floor(tmp_path, "print"))
    assert (kept.logits(SMALL.texts) == trained.logits(SMALL.texts)).all()
    assert kept.of("I am gasping for breath") == "Severe trouble breathing"
    with pytest.raises(ModelUnusableError, match="other data"):
        load_floor(tmp_path, "another")


def test_examples_of_one_kind_are_refused() -> None:
    with pytest.raises(TrainingError, match="fewer than two red flags"):
        train_detector(LabelledTexts(("a", "b"), ("Severe bleeding", NO_MATCH)))
    with pytest.raises(TrainingError, match="fewer than two red flags"):
        train_detector(LabelledTexts(("a", "b"), ("Severe bleeding", "Possible stroke")))
