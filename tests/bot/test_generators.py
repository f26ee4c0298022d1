"""Which generators the settings make, and whose chain a place has."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.generators import make_chain, make_generator, make_translator, named, order, seeing, warmed_up
from bot.messages import Place
from bot.settings import Settings
from models.generation import GroundingPassage


def settings_with(**sections: Any) -> Settings:
    return Settings(**sections)


def test_by_itself_nothing_is_asked_but_the_floor() -> None:
    assert named(settings_with()) == []
    assert make_chain(settings_with(), None).states() == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "chain"),
    [
        (Place("slack", "T1", "C1", "99.1"), ("openai",)),
        (Place("slack", "T1", "C1"), ("openai",)),
        (Place("slack", "T1", "C2"), ("local", "openai")),
        (Place("slack", "T2", "C1"), ("extractive",)),
        (Place("discord", "1", "2"), ("local",)),
    ],
)
def test_the_nearest_chain_holds(place: Place, chain: tuple[str, ...]) -> None:
    places = {"slack/T1/C1": ["openai"], "slack/T1": ["local", "openai"], "slack": ["extractive"]}
    generation = {"chain": ["local"], "places": places}
    assert order(settings_with(generation=generation, openai={"model": "llama"}))(place) == chain


def test_a_generator_named_twice_is_asked_once() -> None:
    assert order(settings_with(generation={"chain": ["local", "local"]}))(Place("slack", "T1")) == ("local",)


def test_a_verifier_is_not_looked_for_where_nothing_is_written() -> None:
    generation = {"chain": ["extractive"], "verifier": "nobody/has-it"}
    assert make_chain(settings_with(generation=generation), None).states() == {}  # type: ignore[arg-type]


def test_what_is_named_anywhere_is_made_and_woken() -> None:
    generation = {"chain": ["extractive"], "places": {"slack": ["openai", "local"]}}
    settings = settings_with(generation=generation, openai={"model": "llama"}, local={"warm_up": False})
    assert named(settings) == ["openai", "local"]
    assert warmed_up(settings) == ["openai"]
    assert make_chain(settings, None).states() == {"openai": "closed", "local": "closed"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"generation": {"chain": ["gemini"]}}, "gemini.key"),
        ({"generation": {"places": {"slack": ["openai"]}}}, "openai.model"),
        ({"generation": {"chain": ["local"], "seconds": 60}}, "answers.deadline_seconds"),
        ({"generation": {"chain": ["gpt"]}}, "local"),
        ({"generation": {"places": {"slak/T1": ["local"]}}}, "did you mean slack"),
        ({"generation": {"places": {"Slack/T1": ["local"]}}}, "did you mean slack"),
        ({"generation": {"places": "slack"}}, "must be JSON"),
        ({"openai": {"base_url": "localhost:11434"}}, "http://host:port"),
        ({"gemini": {"proxy": "10.0.0.1:3128"}}, "http://host:port"),
        ({"openai": {"budget": {"cost": 1.0}}}, "input_price"),
        ({"images": {"translator": "gemini"}}, "images.translator names gemini, which needs gemini.key"),
        ({"images": {"translator": "openai"}}, "images.translator names openai, which needs openai.model"),
        ({"images": {"translator": "extractive"}}, "local"),
    ],
)
def test_a_chain_that_cannot_work_is_refused_with_the_setting_to_mend(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings_with(**sections)


def test_nobody_translates_unless_a_generator_is_named_for_it() -> None:
    assert make_translator(settings_with()) is None


async def test_who_translates_is_taken_from_the_chain_or_made_for_it_alone() -> None:
    openai = {"model": "llama"}
    settings = settings_with(generation={"chain": ["openai"]}, images={"translator": "openai"}, openai=openai)
    chain = make_chain(settings, None)  # type: ignore[arg-type]
    translator = make_translator(settings, None, chain)
    assert translator is not None
    assert translator is chain.generator("openai")
    await translator.warm_up()
    await translator.close()
    await chain.close()
    alone = settings_with(images={"translator": "openai"}, openai=openai)
    made = make_translator(alone, None, make_chain(alone, None))  # type: ignore[arg-type]
    assert made is not None
    assert made.name == "llama"
    assert named(alone) == []


def test_pictures_go_to_nobody_unless_it_is_said() -> None:
    assert seeing(settings_with()) == frozenset()
    assert seeing(settings_with(gemini={"pictures": True})) == {"gemini"}
    passage = GroundingPassage(1, "a bird", image=b"\xff\xd8")
    for pictures in (False, True):
        generator = make_generator(settings_with(gemini={"key": "AIza", "pictures": pictures}), "gemini")
        assert bool(generator.looks_at([passage])) is pictures
