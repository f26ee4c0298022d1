"""How admins write rules in a chat: what they mean, and that nothing is guessed at."""

import pytest

from bot.access_rules import NO_CATEGORY
from bot.access_words import read_rules
from bot.errors import QuestionError
from bot.messages import Author, IncomingMessage, Place

SERVER, CHANNEL, OTHER = "81384788765712384", "381870553235193857", "381870553235193858"
ADA, ROLE = "80351110224678912", "1573959186461491201"
HERE = Place("discord", SERVER, CHANNEL)
ADA_TOO, ROLE_TOO, OTHER_TOO = f"user:{ADA}", f"role:{ROLE}", f"channel:{OTHER}"


def read(text: str, *mentions: str, place: Place = HERE, groups: tuple[str, ...] = ()) -> list[str]:
    message = IncomingMessage("1", place, Author("1"), text, mentions=mentions, groups_of_place=groups)
    return [rule.in_words for rule in read_rules(message)]


@pytest.mark.parametrize(
    ("text", "mentions", "rule"),
    [
        (f"deny <@{ADA}>", (ADA_TOO,), f"deny discord:{ADA} in discord/{SERVER} to everything"),
        ("deny @Ada Lovelace in here", (ADA_TOO,), f"deny discord:{ADA} in discord/{SERVER}/{CHANNEL} to everything"),
        (
            f"allow <@&{ROLE}> in <#{OTHER}> to ask",
            (ROLE_TOO, OTHER_TOO),
            f"allow discord:role:{ROLE} in discord/{SERVER}/{OTHER} to ask",
        ),
        (
            "allow @Staff here to stats",
            (ROLE_TOO,),
            f"allow discord:role:{ROLE} in discord/{SERVER}/{CHANNEL} to stats",
        ),
        ("deny everyone in dms", (), "deny everyone in discord/direct to everything"),
        ("allow paired in dms", (), "allow paired in discord/direct to everything"),
        ("Deny @everyone in Server to /diagnose", (), f"deny everyone in discord/{SERVER} to diagnose"),
        ("deny @everyone everywhere", (f"role:{SERVER}",), "deny everyone in everywhere to everything"),
        (f"deny discord:{ADA} in discord/{SERVER}", (), f"deny discord:{ADA} in discord/{SERVER} to everything"),
        (f"deny user:{ADA} to everything", (), f"deny discord:{ADA} in discord/{SERVER} to everything"),
        ("allow owner in discord", (), "allow discord:owner in discord to everything"),
        (f"deny everyone in category:{OTHER}", (), f"deny everyone in discord/{SERVER}/category:{OTHER} to everything"),
    ],
)
def test_a_rule_in_words(text: str, mentions: tuple[str, ...], rule: str) -> None:
    assert read(text, *mentions) == [rule]


def test_several_of_each_are_a_rule_each() -> None:
    text = "allow @Ada and @Staff in here, #help to ask, diagnose"
    rules = read(text, ADA_TOO, ROLE_TOO, OTHER_TOO)
    assert len(rules) == len(set(rules)) == 8


def test_the_category_of_the_channel_is_meant_by_its_word() -> None:
    inside = read("deny everyone in category", groups=("category:281870553235193856",))
    assert inside == [f"deny everyone in discord/{SERVER}/category:281870553235193856 to everything"]
    for groups in ((), (NO_CATEGORY,)):
        with pytest.raises(QuestionError, match="no category"):
            read("deny everyone in category", groups=groups)


@pytest.mark.parametrize(
    ("place", "here", "home", "direct"),
    [
        (Place("slack", "T012AB3CD", "C1", "1.2"), "slack/T012AB3CD/C1", "slack/T012AB3CD", "slack/T012AB3CD/direct"),
        (Place("discord", "", CHANNEL), "discord/direct", "discord", "discord/direct"),
        (Place("http"), "http", "everywhere", "direct"),
    ],
)
def test_here_is_where_the_words_stand(place: Place, here: str, home: str, direct: str) -> None:
    if place.platform == "slack":
        place, here = Place("slack", "T012AB3CD", "C012AB3CD", "1.2"), "slack/T012AB3CD/C012AB3CD"
    assert read("deny everyone", place=place) == [f"deny everyone in {home} to everything"]
    assert read("deny everyone in dms", place=place) == [f"deny everyone in {direct} to everything"]
    if place.platform != "http":
        assert read("deny everyone in here", place=place) == [f"deny everyone in {here} to everything"]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("deny", ()),
        ("deny in here", ()),
        ("deny Bob", ()),
        ("deny @Bob in the garden", (ADA_TOO,)),
        ("deny @Ada in here to fly", (ADA_TOO,)),
        ("deny @Ada to fly", (ADA_TOO,)),
        ("deny @Ada in #somewhere", (ADA_TOO,)),
        ("deny @Ada", (ADA_TOO, OTHER_TOO)),
        ("deny everyone in the garden", ()),
        ("deny everyone but Ada", ()),
        ("allow everyone to access", ()),
        ("permit everyone", ()),
    ],
)
def test_in_doubt_no_rule_is_made(text: str, mentions: tuple[str, ...]) -> None:
    with pytest.raises(QuestionError):
        read(text, *mentions)
