"""How replies are laid out in Discord's messages."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_documents import documents

from adapters.discord.buttons import view_of
from adapters.discord.identifiers import Route, SentId, address
from adapters.discord.rendering import MESSAGE_LENGTH, addressed_to, content_of, parts_of, text_of
from bot.messages import Button, Citation, File, Place, Reply

ROUTE = Route(user=80351110224678912, kind="command", application=1, token="token", hidden=False).text
PLACE = Place("discord", "1", "2")


def _citation(number: int, title: str = "Opening hours", url: str = "") -> Citation:
    return Citation(number, title, "…", "handbook.md", "", url, 1.0)


def test_a_short_answer_is_one_message_with_its_sources_under_it() -> None:
    citations = (_citation(1), _citation(2, "Parking", "https://example.org/parking"))
    (part,) = parts_of(Reply("At 8. [1] North. [2]", citations=citations))
    assert text_of(part) == (
        "At 8. [1] North. [2]\n-# [1] Opening hours\n-# [2] [Parking](<https://example.org/parking>)"
    )


def test_who_wrote_an_answer_stands_in_small_print_under_its_sources() -> None:
    written = Reply("At 8. [1]", citations=(_citation(1),), note="*cloud* broke off. Written by flan_t5_small.")
    (part,) = parts_of(written)
    assert text_of(part).splitlines()[1:] == [
        "-# [1] Opening hours",
        r"-# \*cloud\* broke off. Written by flan\_t5\_small.",
    ]


def test_the_note_goes_with_the_last_part_and_is_left_out_where_it_does_not_fit() -> None:
    parts = parts_of(Reply("word " * 900, note="Written by flan-t5-small."))
    assert [bool(part.note) for part in parts] == [False] * (len(parts) - 1) + [True]
    full = parts_of(Reply("w" * MESSAGE_LENGTH, note="Written by flan-t5-small."))
    assert [len(text_of(part)) for part in full] == [MESSAGE_LENGTH]


def test_a_source_is_only_what_it_says() -> None:
    (part,) = parts_of(Reply("x [1]", citations=(_citation(1, "# @everyone <@1> **bold**\n> quote"),)))
    line = text_of(part).splitlines()[1]
    assert "@everyone" not in line
    assert "<@1>" not in line
    assert line.startswith("-# [1] ")
    assert "**bold**" not in line


def test_a_source_without_a_title_is_named_by_its_file() -> None:
    (part,) = parts_of(Reply("x [1]", citations=(_citation(1, ""),)))
    assert text_of(part).endswith("-# [1] handbook.md")


def test_sources_that_do_not_fit_under_the_answer_follow_it() -> None:
    reply = Reply("word " * 399, citations=tuple(_citation(n, "A title " * 15) for n in range(1, 6)))
    parts = parts_of(reply)
    assert [bool(part.citations) for part in parts] == [False, True]
    assert text_of(parts[1]).startswith("**Sources**\n-# [1] A title")
    assert [part.part for part in parts] == [0, 1]


def test_buttons_and_files_go_with_the_last_part() -> None:
    reply = Reply(
        "word " * 1_000, buttons=(Button("👍", "up 1", "feedback"),), files=(File("a.txt", "text/plain", "x"),)
    )
    parts = parts_of(reply)
    assert len(parts) > 1
    assert [bool(part.buttons and part.files) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_a_growing_answer_has_neither_sources_nor_buttons_yet() -> None:
    reply = Reply("At 8.", complete=False, citations=(_citation(1),), buttons=(Button("👍", "up 1", "feedback"),))
    (part,) = parts_of(reply)
    assert text_of(part) == "At 8."
    assert content_of(part).view is None


def test_only_those_who_are_called_can_be_pinged() -> None:
    called = Reply("please look, @everyone <@3>", mentions=("user:1", "role:2", "group:3", "user:x"))
    content = content_of(parts_of(called)[0])
    assert content.text.startswith("<@1> <@&2> please look")
    assert content.mentions.to_dict() == {"parse": [], "users": [1], "roles": [2]}


def test_a_file_is_handed_over_as_it_is() -> None:
    content = content_of(Reply("Here.", files=(File("export.json", "application/json", '{"ä": 1}'),)))
    assert content.files[0].filename == "export.json"
    assert content.files[0].fp.read().decode() == '{"ä": 1}'


def test_a_file_alone_is_a_message_too() -> None:
    (part,) = parts_of(Reply("", files=(File("export.json", "application/json", "{}"),)))
    assert part.files


async def test_a_button_that_says_too_much_or_nothing_is_left_out() -> None:
    buttons = (Button("long", "x" * 200, "ask"), Button("ok", "x", "ask"), Button("again", "x", "ask"))
    view = view_of((*buttons, Button(" ", "y", "ask")))
    assert view is not None
    assert len(view.children) == 1


async def test_labels_are_cut_where_discord_would_refuse_them() -> None:
    view = view_of((Button("x" * 200, "x", "ask"),))
    assert view is not None
    assert [len(child["label"]) for child in view.to_components()[0]["components"]] == [80]


async def test_more_buttons_than_fit_are_cut_off() -> None:
    view = view_of([Button(str(number), str(number), "ask") for number in range(40)])
    assert view is not None
    assert len(view.children) == 25


@pytest.mark.parametrize("route", [Route(), Route(1), Route(1, "press", 2, "three", True)])
def test_a_route_survives_being_kept(route: Route) -> None:
    assert Route.of(route.text) == route


def test_no_route_is_the_one_to_nobody() -> None:
    assert Route.of("") == Route()


@pytest.mark.parametrize(
    ("place", "name", "expected"),
    [
        (PLACE, "3", "https://discord.com/channels/1/2/3"),
        (replace(PLACE, thread="9"), "3", "https://discord.com/channels/1/9/3"),
        (PLACE, "2/3", "https://discord.com/channels/1/2/3"),
        (PLACE, "7/3", "https://discord.com/channels/@me/7/3"),
        (Place("discord", "", "7"), "7/3", "https://discord.com/channels/@me/7/3"),
    ],
)
def test_every_message_has_its_address(place: Place, name: str, expected: str) -> None:
    assert address(place, name) == expected


def test_a_sent_message_is_named_with_its_channel() -> None:
    assert SentId.of("3", PLACE) == SentId.of("2/3", PLACE)
    assert str(SentId(2, 3)) == "2/3"


@settings(max_examples=60, deadline=None)
@given(
    text=documents,
    titles=st.lists(st.text(max_size=300), max_size=6),
    mentions=st.lists(st.sampled_from(["user:80351110224678912", "role:80351110224678913"]), max_size=4),
    route=st.sampled_from(["", ROUTE]),
)
def test_every_part_fits_a_message(text: str, titles: list[str], mentions: list[str], route: str) -> None:
    citations = tuple(_citation(number, title) for number, title in enumerate(titles, start=1))
    parts = parts_of(Reply(text, citations=citations, mentions=tuple(mentions), route=route))
    named = addressed_to(Route.of(route).user, "") if route else ""
    assert all(len(named) + len(text_of(part)) <= MESSAGE_LENGTH for part in parts)
    assert [citation for part in parts for citation in part.citations] == list(citations)
