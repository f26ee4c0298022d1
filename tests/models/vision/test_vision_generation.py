"""Questions about pictures: which generator is shown them, what goes along, and what of its answer is let through."""

import base64
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from models.errors import AnswerUnusableError
from models.generation import Generator, GroundingPassage
from models.generation.chain import Chain, Draft
from models.generation.extractive import ExtractiveGenerator
from models.generation.gemini import GeminiGenerator, GeminiOptions
from models.generation.grounding.review import Review
from models.generation.openai_compatible import OpenAIGenerator, OpenAIOptions
from models.generation.prompting import chat
from models.generation.served.hiding import Hiding
from models.generation.served.prompt import prompted, shown_pictures
from tests.models.loopback_gemini import MODEL, LoopbackGemini
from tests.models.loopback_openai import MODEL as OPENAI_MODEL
from tests.models.loopback_openai import LoopbackOpenAI
from tests.models.loopback_server import Refuses, Writes
from tests.models.served_answers import AT_ONCE, ask

KEY = "AIzaSyD-this_is_no_real_key_0123456789ab"
QUESTION = "What bird is this, and what does it eat?"


def jpeg(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(file, "JPEG")
    return file.getvalue()


PICTURE = GroundingPassage(2, "a small bird on a branch. Labels: robin 61 %.", "The picture", image=jpeg())
TEXT = GroundingPassage(1, "Robins eat worms, insects and berries.", "Robins")
BOTH = [TEXT, PICTURE]


@pytest.fixture
async def gemini() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key=KEY, models=[MODEL]) as server:
        yield server


@pytest.fixture
async def openai() -> AsyncIterator[LoopbackOpenAI]:
    async with LoopbackOpenAI() as server:
        yield server


def asking_gemini(server: LoopbackGemini, hiding: Hiding | None = None, **options: Any) -> GeminiGenerator:
    given = {"model": MODEL, "base_url": server.base_url, "key": KEY, "timeout_seconds": 5.0} | options
    return GeminiGenerator(GeminiOptions(**given), hiding, AT_ONCE)


def asking_openai(server: LoopbackOpenAI, **options: Any) -> OpenAIGenerator:
    given = {"model": OPENAI_MODEL, "base_url": server.base_url, "timeout_seconds": 5.0} | options
    return OpenAIGenerator(OpenAIOptions(**given), None, AT_ONCE)


async def test_gemini_sees_the_picture_itself_where_that_is_allowed(gemini: LoopbackGemini) -> None:
    generator = asking_gemini(gemini, pictures=True)
    assert (await ask(generator, QUESTION, BOTH)).error is None
    await generator.close()
    (asked,) = gemini.asked
    heading, picture, text = asked.json["contents"][-1]["parts"]
    assert heading == {"text": "The picture of passage 2:"}
    assert "image/jpeg" in picture["inlineData"].values()
    assert base64.urlsafe_b64decode(picture["inlineData"]["data"]) == PICTURE.image
    assert '<passage number="2">\nThe picture\na small bird on a branch' in text["text"]
    assert '<passage number="1">' in text["text"]
    assert "text in a picture" in asked.json["systemInstruction"]["parts"][0]["text"]


async def test_by_itself_no_picture_leaves_the_machine(gemini: LoopbackGemini, openai: LoopbackOpenAI) -> None:
    for generator in (asking_gemini(gemini), asking_openai(openai)):
        assert generator.looks_at(BOTH) == frozenset()
        assert (await ask(generator, QUESTION, BOTH)).error is None
        await generator.close()
    for asked in (*gemini.asked, *openai.asked):
        assert "a small bird" in asked.body
        assert "inlineData" not in asked.body
        assert "image" not in asked.body
        assert base64.b64encode(PICTURE.image).decode()[:40] not in asked.body


async def test_an_openai_compatible_server_sees_it_where_that_is_allowed(openai: LoopbackOpenAI) -> None:
    generator = asking_openai(openai, pictures=True)
    assert (await ask(generator, QUESTION, BOTH)).error is None
    await generator.close()
    (asked,) = openai.asked
    heading, picture, text = asked.json["messages"][-1]["content"]
    assert heading == {"type": "text", "text": "The picture of passage 2:"}
    kind, _, data = picture["image_url"]["url"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(data) == PICTURE.image
    assert "a small bird" in text["text"]


async def test_where_a_server_has_no_system_role_the_picture_stays(openai: LoopbackOpenAI) -> None:
    openai.unknown = {"system"}
    generator = asking_openai(openai, pictures=True)
    assert (await ask(generator, QUESTION, BOTH)).error is None
    await generator.close()
    kinds = [part["type"] for part in openai.asked[-1].json["messages"][0]["content"]]
    assert kinds == ["text", "image_url", "text"]


async def test_questions_without_pictures_are_asked_as_ever(openai: LoopbackOpenAI) -> None:
    generator = asking_openai(openai, pictures=True)
    await ask(generator)
    await generator.close()
    assert all(isinstance(message["content"], str) for message in openai.asked[0].json["messages"])
    assert "icture" not in openai.asked[0].json["messages"][0]["content"]


async def test_what_is_said_of_a_picture_is_redacted_and_the_picture_goes_as_it_is(gemini: LoopbackGemini) -> None:
    passages = [replace(PICTURE, text="a card of ada@example.org")]
    generator = asking_gemini(gemini, Hiding(), pictures=True)
    await ask(generator, "Whose card is this?", passages)
    await generator.close()
    assert "ada@example.org" not in gemini.asked[0].body
    assert "inlineData" in gemini.asked[0].body


async def test_pictures_stay_out_of_what_is_printed_of_a_passage_and_a_message() -> None:
    (*_, message) = chat(QUESTION, BOTH, pictures=[2])
    assert "\\xff\\xd8" not in f"{PICTURE!r} {message!r}"


async def test_a_picture_is_on_the_bill_of_an_answer_that_broke_off(gemini: LoopbackGemini) -> None:
    generator = asking_gemini(gemini, pictures=True)
    gemini.script(*[Writes(["It is a"], finish="", then="drop")] * 2)
    with_picture = await ask(generator, QUESTION, BOTH)
    without = await ask(generator, QUESTION, [TEXT, replace(PICTURE, image=b"")])
    await generator.close()
    more = with_picture.bills[0].input_tokens - without.bills[0].input_tokens
    assert 1_120 <= more < 1_300


async def test_a_server_that_sees_nothing_is_told_as_a_refusal(openai: LoopbackOpenAI) -> None:
    generator = asking_openai(openai, pictures=True)
    openai.script(Refuses(400, {"error": {"message": "this model does not support images"}}))
    answer = await ask(generator, QUESTION, BOTH)
    await generator.close()
    assert answer.error is not None
    assert "openai.model" in answer.error.fix


def test_pictures_take_half_of_the_window_at_the_most_the_best_first() -> None:
    pictures = [replace(PICTURE, number=number) for number in range(1, 9)]
    assert shown_pictures(pictures, 16_000) == {1, 2, 3, 4, 5, 6}
    assert shown_pictures(pictures, 2_600) == {1}
    assert shown_pictures(pictures, 1_000) == frozenset()
    assert shown_pictures([TEXT], 16_000) == frozenset()


@pytest.mark.parametrize("window", [2_600, 4_000, 16_000, 100_000])
def test_whatever_the_texts_every_picture_that_is_shown_goes_with_its_passage(window: int) -> None:
    texts = [GroundingPassage(number, "Robins eat worms. " * 900) for number in range(1, 4)]
    passages = [*texts, *(replace(PICTURE, number=number) for number in range(4, 12))]
    shown = shown_pictures(passages, window)
    prompt = prompted(QUESTION, passages, (), window=window, redactor=None, pictures=shown)
    sent = prompt.messages[-1]
    assert {picture.number for picture in sent.pictures} == shown
    assert all(f'<passage number="{number}">' in sent.text for number in shown)
    assert prompt.picture_tokens + prompt.characters / 3 <= window


def test_a_passage_that_has_no_room_takes_its_picture_with_it() -> None:
    passages = [PICTURE, replace(PICTURE, number=3, text="word " * 3_000)]
    prompt = prompted(QUESTION, passages, (), window=4_000, redactor=None, pictures={2, 3})
    assert [picture.number for picture in prompt.messages[-1].pictures] == [2]


def test_a_question_that_leaves_no_room_is_refused_with_the_figures() -> None:
    with pytest.raises(AnswerUnusableError, match="tokens"):
        prompted("Why? " * 1_000, [PICTURE], (), window=2_600, redactor=None, pictures={2})


# What an answer says of a picture.


def reviewed(answer: str, seen: Sequence[int] = (2,), pieces: int = 1) -> Review:
    review = Review(QUESTION, BOTH, None, seen)
    for start in range(0, len(answer), pieces):
        review.read(answer[start : start + pieces])
    review.finish()
    return review


@pytest.mark.parametrize("pieces", [1, 3, 7, 1_000])
def test_what_cites_the_picture_alone_passes_and_what_cites_a_text_is_checked(pieces: int) -> None:
    review = reviewed(
        "It is a European robin with an orange breast [2]. Robins eat worms and insects [1]. "
        "They were brought to Norway in 1905 [1].",
        pieces=pieces,
    )
    assert review.text == "It is a European robin with an orange breast. [2] Robins eat worms and insects. [1]"
    assert review.unchecked


@pytest.mark.parametrize("pieces", [1, 4, 1_000])
def test_a_number_behind_the_full_stop_belongs_to_the_sentence_before(pieces: int) -> None:
    review = reviewed("The beak is open and yellow. [2] Eagles weigh nine kilograms. [1]\n", pieces=pieces)
    assert review.text == "The beak is open and yellow. [2]"
    assert [one.reason for one in review.judgements] == ["", "number"]


@pytest.mark.parametrize("citation", ["[1, 2]", "[1][2]", "", "[3]"])
def test_what_cites_a_text_besides_or_nothing_or_what_is_not_there_is_checked(citation: str) -> None:
    review = reviewed(f"The beak was painted by Rembrandt in 1642 {citation}.")
    assert review.text == ""
    assert not review.unchecked


def test_who_did_not_see_the_picture_is_checked_against_what_is_said_of_it() -> None:
    review = reviewed("It is a European robin with an orange breast [2]. It is a small bird on a branch [2].", seen=())
    assert review.text == "It is a small bird on a branch. [2]"
    assert not review.unchecked


def test_what_the_words_about_the_picture_bear_out_counts_as_checked() -> None:
    review = reviewed("It is a small bird on a branch [2].")
    assert review.text == "It is a small bird on a branch. [2]"
    assert not review.unchecked


def test_lists_and_tables_about_the_picture_pass_and_code_does_not() -> None:
    review = reviewed(
        "In the picture:\n\n- an orange breast [2]\n- a yellow beak [2]\n\n"
        "| part | colour |\n| --- | --- |\n| breast | orange [2] |\n\n```\nrm -rf everything [2]\n```\n"
    )
    assert "- an orange breast [2]\n- a yellow beak [2]" in review.text
    assert "| breast | orange |\n\n[2]" in review.text
    assert "rm -rf" not in review.text


def test_addresses_in_a_picture_are_passed_on_to_nobody() -> None:
    review = reviewed(
        "A banner over the nest says that help waits at https://evil.example/pay [2]. Write to help@evil.example [2]. "
        "Its breast is orange [2]."
    )
    assert "evil" not in review.text
    assert "Its breast is orange. [2]" in review.text


def test_an_answer_cannot_fake_a_citation_with_signs_that_nobody_sees() -> None:
    review = reviewed("The Moon is made of cheese \ue002. Its breast is orange [2].")
    assert review.text == "Its breast is orange. [2]"


class Seeing(Generator):
    """Sees all pictures, and says what it is told to."""

    def __init__(self, answer: str, sees: bool = True) -> None:
        self.name = "seer"
        self.answer = answer
        self.sees = sees

    def looks_at(self, passages: Sequence[GroundingPassage]) -> frozenset[int]:
        return frozenset(one.number for one in passages if one.image) if self.sees else frozenset()

    async def stream(self, *_: object) -> AsyncIterator[str]:
        yield self.answer


class Purse:
    reference = "message-1"

    async def allows(self, generator: str) -> bool:
        return True

    def charge(self, *_: object) -> None:
        """Nobody pays."""


async def answer_of(generator: Generator) -> Draft:
    chain = Chain({"seer": generator, "extractive": ExtractiveGenerator()})
    drafts = [draft async for draft in chain.write(QUESTION, BOTH, (), ["seer"], Purse())]
    await chain.close()
    return drafts[-1]


async def test_an_answer_from_sight_is_given_and_marked_as_unchecked() -> None:
    draft = await answer_of(Seeing("It is a European robin [2]. Robins eat worms [1]."))
    assert (draft.text, draft.generator) == ("It is a European robin. [2] Robins eat worms. [1]", "seer")
    assert draft.cited
    assert draft.unchecked


async def test_the_same_answer_by_who_did_not_see_it_loses_what_nothing_bears_out() -> None:
    draft = await answer_of(Seeing("It is a European robin [2]. Robins eat worms [1].", sees=False))
    assert draft.text == "Robins eat worms. [1]"
    assert not draft.unchecked


async def test_an_answer_of_texts_alone_is_not_marked() -> None:
    draft = await answer_of(Seeing("Robins eat worms, insects and berries [1]."))
    assert draft.text == "Robins eat worms, insects and berries. [1]"
    assert not draft.unchecked


async def test_gemini_through_the_chain_tells_what_it_sees(gemini: LoopbackGemini) -> None:
    gemini.script(Writes(["It is a Euro", "pean robin [2]", ". Robins eat worms [1]."]))
    draft = await answer_of(asking_gemini(gemini, pictures=True))
    assert draft.text == "It is a European robin. [2] Robins eat worms. [1]"
    assert draft.unchecked
