"""Names of people: how a model finds them, and that no server ever sees them where one is set."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import ModelError, ModelMissingError, ModelUnusableError
from models.generation.contract import GroundingPassage, Turn
from models.generation.gemini import GeminiGenerator, GeminiOptions
from models.generation.redacting import redacting
from models.generation.served.hiding import Hiding
from models.generation.served.redaction import PatternRedactor
from models.names.finder import NameFinder
from tests.models.loopback_gemini import MODEL, LoopbackGemini
from tests.models.loopback_server import Writes
from tests.models.served_answers import AT_ONCE, ask
from tests.models.tiny_taggers import trained_tagger

KEY = "AIzaSyD-this_is_no_real_key_0123456789ab"


@pytest.fixture(scope="module")
def tagger_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return trained_tagger(tmp_path_factory.mktemp("tagger"))


@pytest.fixture
async def finder(tagger_folder: Path) -> AsyncIterator[NameFinder]:
    made = NameFinder(lambda: tagger_folder, "tagger")
    yield made
    await made.close()


@pytest.fixture
async def server() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key=KEY, models=[MODEL]) as server:
        yield server


def asking(server: LoopbackGemini, hiding: Hiding) -> GeminiGenerator:
    options = GeminiOptions(model=MODEL, base_url=server.base_url, key=KEY, timeout_seconds=5.0)
    return GeminiGenerator(options, hiding, AT_ONCE)


async def test_a_name_in_the_question_never_leaves_and_comes_back_in_the_answer(
    server: LoopbackGemini, finder: NameFinder
) -> None:
    server.script(Writes(["Please ask <na", "me-1> [1], or <NAME-2", ">."]))
    generator = asking(server, Hiding(names=finder))
    passages = [GroundingPassage(1, "According to Emmy Noether , gravity is defined by light .", "Emmy Noether")]
    history = [Turn("Who is Niels Bohr ?", "Niels Bohr was found in Oslo .")]
    answer = await ask(generator, "My name is Grace Hopper and I live in Paris .", passages, history)
    await generator.close()
    (asked,) = server.asked
    assert not [name for name in ("Grace", "Hopper", "Emmy", "Noether", "Niels", "Bohr") if name in asked.body]
    assert "I live in Paris" in asked.body
    assert answer.error is None
    assert answer.text.startswith("Please ask ")
    assert "<" not in answer.text
    assert any(name in answer.text for name in ("Grace Hopper", "Emmy Noether", "Niels Bohr"))


async def test_names_and_numbers_are_hidden_together_and_each_comes_back(
    server: LoopbackGemini, finder: NameFinder
) -> None:
    server.script(Writes(["Tell <name-1> at <email-1> [1]."]))
    generator = asking(server, Hiding(names=finder))
    answer = await ask(generator, "Please tell Ada Lovelace what light is . Her address is ada@example.org .")
    await generator.close()
    assert "ada@example.org" not in server.asked[0].body
    assert "Lovelace" not in server.asked[0].body
    assert answer.text == "Tell Ada Lovelace at ada@example.org [1]."


async def test_a_name_that_was_found_in_one_text_is_hidden_in_all() -> None:
    texts = ["Ada Lovelace wrote it.", "ask ADA LOVELACE, Lovelace's friend", "Adalbert, Lovelacean, and Ada"]
    hidden, restoration = PatternRedactor({"Ada Lovelace"}).hide(texts)
    assert hidden == ["<name-1> wrote it.", "ask <name-2>, <name-3>'s friend", "Adalbert, Lovelacean, and Ada"]
    assert restoration.read("<name-1>, <name-2>, <name-3>") == "Ada Lovelace, ADA LOVELACE, Lovelace"


async def test_a_name_that_is_a_word_of_ours_does_not_break_what_stands_for_others() -> None:
    (hidden,), restoration = PatternRedactor({"email", "name"}).hide(["email me: ada@example.org, name"])
    assert "ada@" not in hidden
    assert restoration.read(hidden) + restoration.finish() == "email me: ada@example.org, name"


async def test_names_with_signs_of_patterns_in_them_are_hidden_as_they_are() -> None:
    (hidden,), _ = PatternRedactor({"J.R. (Jack) O'Neil+", "Zoë-Łucja"}).hide(["J.R. (Jack) O'Neil+ met Zoë-Łucja."])
    assert hidden == "<name-1> met <name-2>."


async def test_a_model_that_is_not_there_keeps_everything_here(server: LoopbackGemini, tmp_path: Path) -> None:
    def folder() -> Path:
        raise ModelMissingError("There is no model 'ner' on this machine.", "Pull it.")

    generator = asking(server, Hiding(names=NameFinder(folder, "ner")))
    with pytest.raises(ModelMissingError):
        await ask(generator)
    with pytest.raises(ModelMissingError):
        await generator.warm_up()
    await generator.close()
    assert not server.asked


async def test_where_nothing_is_hidden_no_model_is_loaded(server: LoopbackGemini, finder: NameFinder) -> None:
    generator = asking(server, Hiding(by_default=False, names=finder))
    await generator.warm_up()
    answer = await ask(generator, "Who is Ada Lovelace ?")
    assert answer.error is None
    assert "Ada Lovelace" in server.asked[0].body
    await generator.close()


@pytest.mark.parametrize(("by_default", "here", "leaves"), [(True, False, True), (False, True, False)])
async def test_a_place_says_otherwise_than_the_generators_setting(
    server: LoopbackGemini, by_default: bool, here: bool, leaves: bool
) -> None:
    generator = asking(server, Hiding(by_default=by_default))
    with redacting(here):
        await ask(generator, "Is ada@example.org right?")
    await ask(generator, "Is ada@example.org right?")
    await generator.close()
    assert ["ada@example.org" in asked.body for asked in server.asked] == [leaves, not leaves]


async def test_names_in_a_long_text_are_found_in_all_its_parts(finder: NameFinder) -> None:
    filler = "What is light ? The library in Oslo opens at 9 . " * 20
    names = await finder.of(
        [f"Who is Carl Gauss ? {filler}", f"{filler} Who is Max Planck ? {filler}", f"{filler} Who is Lise Meitner ?"]
    )
    assert {"Carl Gauss", "Max Planck", "Lise Meitner"} <= names


async def test_passages_are_read_by_the_model_once_and_what_people_write_each_time(tagger_folder: Path) -> None:
    finder = NameFinder(lambda: tagger_folder, "tagger")
    passage = ("Gravity", "", "According to Emmy Noether , gravity is defined by light .")
    assert await finder.of(["Who is Niels Bohr ?"], [passage]) == {"Niels Bohr", "Emmy Noether"}
    await finder.close()
    # Without a model: what was read once is known, all else is not.
    assert await finder.of([], [passage, passage]) == {"Emmy Noether"}
    with pytest.raises(ModelError):
        await finder.of(["Who is Niels Bohr ?"], [passage])


async def test_nothing_to_read_needs_no_model() -> None:
    finder = NameFinder(lambda: Path("/nowhere"), "none")
    assert await finder.of(["", "123 !?"]) == frozenset()
    await finder.close()


def relabelled(folder: Path, into: Path, labels: dict[str, str]) -> Path:
    into.mkdir()
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    config: dict[str, Any] = json.loads((into / "config.json").read_text())
    config |= {"id2label": labels, "label2id": {label: int(at) for at, label in labels.items()}}
    (into / "config.json").write_text(json.dumps(config))
    return into


@pytest.mark.parametrize("labels", [("O", "B-PERSON", "I-PERSON", "LOC"), ("O", "FIRSTNAME", "LAST_NAME", "GPE")])
async def test_other_words_for_people_are_understood(
    tagger_folder: Path, tmp_path: Path, labels: tuple[str, ...]
) -> None:
    folder = relabelled(tagger_folder, tmp_path / "other", {str(at): label for at, label in enumerate(labels)})
    finder = NameFinder(lambda: folder, "other")
    assert await finder.of(["Who is Alan Turing ?"]) == {"Alan Turing"}
    await finder.close()


async def test_a_model_that_knows_no_people_is_refused_with_what_to_do(tagger_folder: Path, tmp_path: Path) -> None:
    names = {str(at): f"LABEL_{at}" for at in range(4)}
    folder = relabelled(tagger_folder, tmp_path / "none", names)
    finder = NameFinder(lambda: folder, "none")
    with pytest.raises(ModelUnusableError, match="has no label for people"):
        await finder.load()
    await finder.close()


@pytest.mark.parametrize("damage", ["config.json", "tokenizer.json", "model.safetensors"])
async def test_a_damaged_model_is_refused_and_nothing_crashes(tagger_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = relabelled(tagger_folder, tmp_path / "damaged", {"0": "O", "1": "B-PER", "2": "I-PER", "3": "LOC"})
    (folder / damage).write_bytes(b"{")
    finder = NameFinder(lambda: folder, "damaged")
    with pytest.raises(ModelError):
        await finder.of(["Who is Alan Turing ?"])
    await finder.close()
