"""The extractive generator: what it quotes, what it leaves out, and that nothing it reads upsets it."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from models.generation import GroundingPassage, Turn
from models.generation.extractive import ExtractiveGenerator

OHM = GroundingPassage(
    1,
    "Ohm's law states that the current through a conductor is proportional to the voltage across it: V = R·I. "
    "A conductor of 5 Ω at 10 V carries 2 A. "
    "Georg Ohm published the law in 1827. "
    "Many materials, such as the filament of a lamp, do not obey it.",
    title="Ohm's law",
)
TOWER = GroundingPassage(
    1,
    "The Eiffel Tower is an iron tower in Paris. "
    "It was finished in 1889 for the World's Fair. "
    "Gustave Eiffel's company built the tower of 18,038 iron parts, which were joined by 2.5 million rivets. "
    "However, many artists disliked the plan and wrote a letter of protest to the newspapers of the day.",
)


async def answer(
    question: str,
    *passages: GroundingPassage,
    history: Sequence[Turn] = (),
    generator: ExtractiveGenerator | None = None,
) -> str:
    generator = generator or ExtractiveGenerator()
    return "".join([piece async for piece in generator.stream(question, passages, history)])


def first_sentence(text: str) -> str:
    return text.split(" [")[0]


def kinds_of_blocks(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [token.type for token in tokens if token.level == 0 and token.nesting >= 0]


def other(number: int, text: str, score: float = 0.4, title: str = "") -> GroundingPassage:
    return GroundingPassage(number, text, title=title, score=score)


class TestWhatIsQuoted:
    async def test_a_definition_opens_the_answer_to_what_is(self) -> None:
        assert (await answer("What is Ohm's law?", OHM)).startswith("Ohm's law states that")

    @pytest.mark.parametrize("question", ["ohms law", "Ohm's law?", "explain ohm's law", "what does Ohm's law say?"])
    async def test_a_definition_is_recognised_however_it_is_asked_for(self, question: str) -> None:
        assert (await answer(question, OHM)).startswith("Ohm's law states that")

    async def test_a_question_for_a_year_is_answered_by_the_sentence_that_has_one(self) -> None:
        assert (
            first_sentence(await answer("When was Ohm's law published?", OHM)) == "Georg Ohm published the law in 1827."
        )

    async def test_a_question_for_a_number_is_answered_by_the_sentence_that_has_one(self) -> None:
        assert "18,038 iron parts" in first_sentence(await answer("How many parts has the tower?", TOWER))

    async def test_a_question_for_a_formula_is_answered_by_the_sentence_that_has_one(self) -> None:
        assert "V = R·I" in first_sentence(await answer("formula for current and voltage", OHM))

    async def test_every_sentence_is_followed_by_the_number_of_its_passage(self) -> None:
        text = await answer("tower iron Paris parts", TOWER, generator=ExtractiveGenerator(margin=20))
        assert len(re.findall(r"\. \[1\]", text)) == 3

    async def test_the_number_is_the_passages_own_and_not_its_place(self) -> None:
        assert (await answer("What is Ohm's law?", GroundingPassage(7, OHM.text, title=OHM.title))).count("[7]") >= 1

    async def test_a_better_sentence_of_a_later_passage_is_preferred(self) -> None:
        magnet = GroundingPassage(1, "A magnet attracts iron. Iron is a metal. Iron rusts in damp air.", score=1.0)
        rivet = other(2, "Rivets hold plates. The Titanic needed three million rivets. Ships rust.", score=0.9)
        assert "three million" in first_sentence(await answer("How many rivets did the Titanic need?", magnet, rivet))

    async def test_a_short_passage_is_given_whole(self) -> None:
        passage = other(1, "Torque turns things. The unit of torque is the newton metre.")
        assert await answer("unit of torque", passage) == (
            "Torque turns things. [1] The unit of torque is the newton metre. [1]"
        )

    async def test_a_ready_answer_is_given_as_it_stands(self) -> None:
        ready = GroundingPassage(1, "  Ask **Eve** first.\n\nThen `make run`. And more.", question="Who starts it?")
        assert await answer("who starts it", ready, OHM) == "Ask **Eve** first.\n\nThen `make run`. And more. [1]"

    async def test_a_ready_answer_that_ends_in_code_stays_code(self) -> None:
        ready = GroundingPassage(1, "Run:\n\n```sh\nmake\n```", question="How?")
        assert await answer("how", ready) == "Run:\n\n```sh\nmake\n```\n\n[1]"


class TestHowMuchIsQuoted:
    async def test_what_adds_nothing_to_the_question_is_left_out(self) -> None:
        assert "artists" not in await answer("How many parts has the tower?", TOWER)

    @pytest.mark.parametrize("most", [1, 2, 3])
    async def test_an_answer_has_at_most_so_many_sentences(self, most: int) -> None:
        text = await answer("tower", TOWER, OHM, generator=ExtractiveGenerator(most, margin=50))
        assert len(re.findall(r" \[1\]", text)) == most

    async def test_two_passages_that_say_the_same_are_quoted_once(self) -> None:
        text = await answer("When was Ohm's law published?", OHM, other(2, OHM.text, score=1.0, title=OHM.title))
        assert text.count("1827") == 1

    async def test_sentences_of_two_passages_stand_in_two_paragraphs(self) -> None:
        one = other(1, "Light travels at 299,792 km/s in vacuum. Glass slows light. Water slows light too.", score=1.0)
        two = other(2, "Sound is slow. Sound travels at 343 m/s in air. Bats hear sound.", score=1.0)
        text = await answer("How fast do light and sound travel?", one, two, generator=ExtractiveGenerator(margin=6))
        paragraphs = text.split("\n\n")
        assert "299,792" in paragraphs[0] or "343" in paragraphs[0]
        assert len(paragraphs) == 2

    @pytest.mark.parametrize(("most", "margin"), [(0, 1.0), (3, -1.0)])
    def test_settings_that_mean_nothing_are_refused(self, most: int, margin: float) -> None:
        with pytest.raises(ValueError, match="at least"):
            ExtractiveGenerator(most, margin)


class TestWhatASentenceRefersTo:
    PASSAGE = other(
        1,
        "Marie Curie was born in Warsaw and studied physics and mathematics in Paris at the Sorbonne. "
        "She discovered polonium and radium, two radioactive elements, together with her husband. "
        "However, the danger of radiation was not understood until many years after the discovery. "
        "Radium paint was used on the hands and faces of watches until the middle of the century.",
    )

    async def test_a_pronoun_brings_what_it_stands_for(self) -> None:
        text = await answer("Who discovered polonium and radium?", self.PASSAGE)
        assert text.startswith("Marie Curie was born")
        assert "She discovered polonium" in text

    async def test_a_pronoun_for_what_the_question_names_stands_alone(self) -> None:
        text = await answer("When was the Eiffel Tower finished?", TOWER)
        assert text.startswith("It was finished in 1889")

    async def test_with_one_sentence_allowed_one_that_stands_alone_is_preferred(self) -> None:
        text = await answer("Who discovered polonium and radium?", self.PASSAGE, generator=ExtractiveGenerator(1))
        assert not text.startswith("She")

    async def test_it_is_possible_to_refers_to_nothing(self) -> None:
        passage = other(1, f"{'Glass is hard. ' * 9}It is possible to bend hot glass. Sand is grainy.")
        assert first_sentence(await answer("bend hot glass", passage)) == "It is possible to bend hot glass."


class TestMarkdown:
    CODE = other(
        1,
        "# Install\n\nPreceptor needs Python.\n\nStart the server like this:\n\n"
        "```sh\nmake run  # [3]\n\nmake test\n```\n\nStop the server with Ctrl-C. The log is kept for a week.",
    )

    async def test_code_stays_whole_and_with_its_lead_in(self) -> None:
        text = await answer("how to start the server", self.CODE)
        assert text.startswith("Start the server like this:\n\n```sh\nmake run  # [3]\n\nmake test\n```\n\n[1]")

    async def test_headings_are_not_quoted(self) -> None:
        assert "# Install" not in await answer("Install", self.CODE, generator=ExtractiveGenerator(margin=50))

    async def test_a_passage_of_headings_alone_gives_them(self) -> None:
        assert await answer("what", other(1, "# Opening hours")) == "Opening hours [1]"

    async def test_a_table_stays_a_table_and_its_number_outside(self) -> None:
        table = "| metal | melts at |\n| --- | --- |\n| iron | 1538 °C |\n| lead | 327 °C |"
        text = await answer("When does lead melt?", other(1, table))
        assert text == f"{table}\n\n[1]"
        assert kinds_of_blocks(text) == ["table_open", "paragraph_open"]

    async def test_a_list_stays_with_the_sentence_that_announces_it(self) -> None:
        passage = other(
            1, "Metals conduct heat.\n\nThe noble gases are:\n\n- helium\n- neon\n- argon\n\nAir is a mixture."
        )
        text = await answer("Which are the noble gases?", passage)
        assert text.startswith("The noble gases are:\n\n- helium\n- neon\n- argon\n\n[1]")

    async def test_an_item_of_another_list_is_quoted_without_its_bullet(self) -> None:
        passage = other(1, "- Helium is light and does not burn.\n- Neon glows red in a tube.\n- Argon fills lamps.")
        assert (await answer("Which gas glows red?", passage)).startswith("Neon glows red in a tube. [1]")

    async def test_emphasis_code_and_links_are_not_cut_apart(self) -> None:
        passage = other(
            1,
            "Read the guide. Press **Stop! Now.** to halt the pump (see [the guide. Part two.](http://a.b/c) first). "
            "Call `a.b. C()` later. Nobody halts the other pump.",
        )
        text = await answer("How to halt the pump?", passage)
        assert "Press **Stop! Now.** to halt the pump (see [the guide. Part two.](http://a.b/c) first)." in text

    async def test_a_number_in_brackets_is_not_taken_for_a_citation(self) -> None:
        passage = other(1, "Radon is a gas. Radon was found in 1899.[3] Radon [4](http://a.b) decays. Lead does not.")
        text = await answer("When was radon found?", passage)
        assert first_sentence(text) == "Radon was found in 1899.\\[3\\]"

    @pytest.mark.parametrize("opener", ["# heading", "- dash", "1. one", "> quote", "<div>", "```", "[a]: http://b"])
    async def test_a_sentence_never_turns_into_a_block(self, opener: str) -> None:
        passage = other(1, f"First comes water. {opener} comes second with copper. Third comes {'tin ' * 99}. End.")
        text = await answer("second copper", passage, generator=ExtractiveGenerator(1))
        assert "copper" in text
        assert kinds_of_blocks(text) == ["paragraph_open"]

    async def test_html_in_a_passage_is_text(self) -> None:
        passage = other(1, "<script>alert('x')</script>\n\n<!-- copper is secret -->\n\nCopper is a metal.")
        text = await answer("copper alert", passage, generator=ExtractiveGenerator(margin=50))
        assert "secret" not in text
        assert set(kinds_of_blocks(text)) == {"paragraph_open"}

    async def test_long_code_is_shortened_after_a_line_and_stays_code(self) -> None:
        code = "```py\n" + "\n".join(f"line_{number} = {number}" for number in range(500)) + "\n```"
        text = await answer("line", other(1, code))
        assert len(text) < 1_300
        assert re.search(r"\nline_\d+ = \d+\n…\n```\n\n\[1\]$", text)

    async def test_a_long_table_is_shortened_after_a_row(self) -> None:
        rows = "".join(f"| cell {number} | value |\n" for number in range(200))
        text = await answer("cell", other(1, f"| a | b |\n| - | - |\n{rows}"))
        assert len(text) < 1_300
        assert text.endswith("| value |\n\n…\n\n[1]")

    async def test_endless_text_without_a_stop_is_shortened_after_a_word(self) -> None:
        text = await answer("word", other(1, "word " * 2_000))
        assert len(text) < 1_300
        assert text.endswith("word… [1]")


class TestWhatCountsAsASentence:
    @pytest.mark.parametrize(
        "sentence",
        [
            "Light moves at about 3×10⁸ m/s.",
            "Water boils at 373 K.",
            "Momentum is p = m·v.",
            "A wave has the speed v.",
            "The radius is approx. 3.5 m, e.g. for Dr. J. J. Thomson's tube.",
            "The prefixes are kilo (k) 10³, mega (M) 10⁶ and giga (G) 10⁹.",
            "Radon was found in 1899.[citation needed]",
        ],
    )
    async def test_it_ends_where_a_reader_would_end_it(self, sentence: str) -> None:
        passage = other(1, f"Birds sing at dawn in the wood. {sentence} Foxes sleep all day under the oak.")
        assert first_sentence(await answer(sentence, passage, generator=ExtractiveGenerator(1))) == sentence


class TestConversation:
    LAWS = (
        other(1, "Newton's first law states that bodies keep moving. Galileo had said so.", 1.0, "Newton's first law"),
        other(2, "Newton's third law states that forces come in pairs. Rockets use it.", 0.9, "Newton's third law"),
    )

    async def test_a_short_question_is_read_with_the_one_before(self) -> None:
        history = [Turn("What is Newton's first law?", "Newton's first law states …")]
        assert "forces come in pairs" in first_sentence(await answer("and the third one?", *self.LAWS, history=history))

    async def test_a_whole_question_is_not_changed_by_the_one_before(self) -> None:
        history = [Turn("How many parts has the tower?", "18,038")]
        question = "Which artists wrote a letter of protest?"
        assert await answer(question, TOWER, history=history) == await answer(question, TOWER)


class TestWhateverIsAsked:
    @pytest.mark.parametrize(
        "question", ["", " \n", "???", "🙂", "\ud800", "\x00\x07", "ما هو قانون أوم؟", "[1] **x** <b>", "the of and"]
    )
    async def test_there_is_an_answer(self, question: str) -> None:
        assert re.search(r"\w.* \[1\]$", await answer(question, OHM, TOWER), re.DOTALL)

    async def test_a_question_of_100_000_characters_is_read_at_both_ends(self) -> None:
        assert "1827" in await answer("noise " * 16_700 + "When was Ohm's law published?", OHM)

    async def test_lone_surrogates_in_a_passage_are_replaced(self) -> None:
        assert (await answer("copper", other(1, "Copper \ud800 shines."))).encode() == b"Copper ? shines. [1]"

    async def test_a_blank_passage_gives_its_title(self) -> None:
        assert await answer("what", other(1, " \n", title="Opening hours")) == "Opening hours [1]"

    async def test_a_blank_passage_before_others_is_passed_over(self) -> None:
        assert (await answer("Ohm", other(1, ""), GroundingPassage(2, OHM.text))).endswith("[2]")

    async def test_the_same_question_has_the_same_answer(self) -> None:
        assert len({await answer("current law tower", OHM, other(2, TOWER.text)) for _ in range(5)}) == 1

    @pytest.mark.parametrize(
        "piece", ["(", "`", "*", "[a](", "(a) ", "x. ", ".", "> ", "- a\n", "|a", "\n", "a`` ", "<!--"]
    )
    async def test_hostile_repetition_is_read_in_little_time(self, piece: str) -> None:
        assert await answer("a" * 50_000, other(1, piece * (40_000 // len(piece)) + " end"))

    @given(
        question=st.text(max_size=60),
        texts=st.lists(st.text(alphabet=st.sampled_from("aB. \n#>-|`*[]()<1:!é\ud800=_"), max_size=120), min_size=1),
        most=st.integers(1, 3),
    )
    async def test_any_text_is_quoted_in_whole_words_or_its_title_given(
        self, question: str, texts: list[str], most: int
    ) -> None:
        passages = [other(number, text, title="Title") for number, text in enumerate(texts, start=1)]
        text = await answer(question, *passages, generator=ExtractiveGenerator(most, margin=9))
        assert re.search(r"\[\d+\]$", text)
        assert text.strip() == text

    @given(st.lists(st.lists(st.sampled_from(["iron", "melts", "at", "noon", "slowly"]), min_size=3), min_size=1))
    async def test_plain_sentences_are_quoted_word_for_word(self, sentences: list[list[str]]) -> None:
        given_sentences = [" ".join(words).capitalize() + "." for words in sentences]
        text = await answer("when does iron melt", other(1, " ".join(given_sentences)))
        quoted = [sentence.strip() for sentence in text.split(" [1]") if sentence.strip()]
        assert quoted
        assert set(quoted) <= set(given_sentences)
