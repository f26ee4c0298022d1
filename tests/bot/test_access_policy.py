"""What the rules of access say together: deny wins, what is not known is denied, and each word means what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access_policy import Policy, direct_messages
from bot.access_rules import (
    ADMIN_COMMANDS,
    KEPT_COMMANDS,
    NO_CATEGORY,
    OPEN_COMMANDS,
    OWN_COMMANDS,
    PAIRED,
    Asker,
    Rule,
    checked,
    is_for_admins,
    wanted,
)
from bot.messages import Attachment, Author, IncomingMessage, Place

SERVER, CHANNEL, THREAD = "81384788765712384", "381870553235193857", "481870553235193858"
ADA, ROLE, CATEGORY = "80351110224678912", "1573959186461491201", "category:281870553235193856"
HERE = Place("discord", SERVER, CHANNEL, THREAD)


def asker(*roles: str, place: Place = HERE, groups: tuple[str, ...] = (CATEGORY,), known: bool = True) -> Asker:
    return Asker(f"{place.platform}:{ADA}", place, groups, frozenset(roles), known)


def rule(effect: str, who: str = "", place: str = "", command: str = "") -> Rule:
    return checked(effect, who, place, command)


def test_with_no_rule_everybody_may_do_what_is_not_for_admins() -> None:
    assert all(Policy().allows(asker(), [command]) for command in (*OPEN_COMMANDS, *OWN_COMMANDS))
    assert not any(Policy().allows(asker(), [command]) for command in (*ADMIN_COMMANDS, *KEPT_COMMANDS, "unheard of"))


WORDS_THAT_MEAN_ADA = ("", f"discord:{ADA}", f"discord:role:{ROLE}", f"discord:role:{ROLE}@{SERVER}", "discord:owner")
WORDS_THAT_MEAN_OTHERS = (
    "discord:80351110224678913",
    f"slack:U{ADA[:8]}",
    "discord:role:1573959186461491202",
    "slack:owner",
    PAIRED,
)
PLACES_AROUND = (
    "",
    "discord",
    f"discord/{SERVER}",
    f"discord/{SERVER}/{CHANNEL}",
    f"discord/{SERVER}/{CHANNEL}/{THREAD}",
    f"discord/{SERVER}/{THREAD}",
    f"discord/{SERVER}/{CATEGORY}",
)
PLACES_ELSEWHERE = (
    "slack",
    "direct",
    "discord/direct",
    "discord/81384788765712385",
    f"discord/{SERVER}/381870553235193858",
    f"discord/81384788765712385/{CATEGORY}",
    f"discord/{SERVER}/category:281870553235193857",
)
ADAS = (f"role:{ROLE}", f"role:{ROLE}@{SERVER}", "owner")


@pytest.mark.parametrize("who", WORDS_THAT_MEAN_ADA)
@pytest.mark.parametrize("place", PLACES_AROUND)
@pytest.mark.parametrize("command", ["", "ask"])
def test_a_deny_rule_holds_for_whom_where_and_what_it_names(who: str, place: str, command: str) -> None:
    policy = Policy((rule("deny", who, place, command),))
    assert policy.allows(asker(*ADAS), ["ask"]) is False
    assert policy.allows(asker(*ADAS), ["diagnose"]) is (command == "ask")


@pytest.mark.parametrize("who", WORDS_THAT_MEAN_OTHERS)
def test_a_deny_rule_does_not_hold_for_others(who: str) -> None:
    assert Policy((rule("deny", who),)).allows(asker(*ADAS), ["ask"]) is True


@pytest.mark.parametrize("place", PLACES_ELSEWHERE)
@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_a_rule_does_not_hold_elsewhere(effect: str, place: str) -> None:
    assert Policy((rule(effect, "paired", place), rule(effect, "", place))).allows(asker(), ["ask"]) is True


@pytest.mark.parametrize("place", PLACES_AROUND)
def test_a_place_that_an_allow_rule_names_is_closed_to_all_others(place: str) -> None:
    policy = Policy((rule("allow", f"discord:role:{ROLE}", place, "ask"),))
    assert policy.allows(asker(*ADAS), ["ask"]) is True
    assert policy.allows(asker(), ["ask"]) is False
    assert policy.allows(asker(), ["diagnose"]) is True


def test_deny_wins_over_allow() -> None:
    both = (rule("allow", f"discord:{ADA}"), rule("deny", f"discord:role:{ROLE}"))
    assert Policy(both).allows(asker(*ADAS), ["ask"]) is False
    assert Policy(both[::-1]).allows(asker(*ADAS), ["ask"]) is False
    assert Policy(both).allows(asker(), ["ask"]) is True


def test_a_role_that_is_not_known_is_none_for_an_allow_rule_and_held_for_a_deny_rule() -> None:
    for effect in ("allow", "deny"):
        policy = Policy((rule(effect, f"discord:role:{ROLE}"),))
        assert policy.allows(asker(known=False), ["ask"]) is None
        assert policy.allows(asker(known=True), ["ask"]) is (effect == "deny")


def test_a_category_that_is_not_known_is_denied_and_no_category_is_none() -> None:
    for effect in ("allow", "deny"):
        policy = Policy((rule(effect, f"discord:{ADA[:-1]}9", f"discord/{SERVER}/{CATEGORY}"),))
        closed = Policy((rule(effect, "", f"discord/{SERVER}/{CATEGORY}"),))
        assert closed.allows(asker(groups=(NO_CATEGORY,)), ["ask"]) is True
        assert policy.allows(asker(groups=(NO_CATEGORY,)), ["ask"]) is True
    unknown = Policy((rule("deny", "", f"discord/{SERVER}/{CATEGORY}"),))
    assert unknown.allows(asker(groups=()), ["ask"]) is None


def test_what_nobody_needs_to_know_is_not_asked_for() -> None:
    policy = Policy((rule("deny", f"discord:role:{ROLE}", "slack"), rule("allow", "slack:owner", "", "stats")))
    assert policy.allows(asker(known=False), ["ask"]) is True


def test_a_rule_that_cannot_be_read_closes_everything() -> None:
    assert Policy((), unreadable=(1,)).allows(asker(), ["forget"]) is False


def test_ones_own_data_is_closed_only_by_name() -> None:
    assert Policy((rule("deny"),)).allows(asker(), ["forget", "export"]) is True
    assert Policy((rule("deny", "", "", "forget"),)).allows(asker(), ["forget"]) is False


def test_an_admins_command_is_open_to_those_to_whom_a_rule_gives_it_by_name() -> None:
    policy = Policy((rule("allow", f"discord:role:{ROLE}", "", "stats"), rule("allow")))
    assert policy.allows(asker(*ADAS), ["stats"]) is True
    assert policy.allows(asker(), ["stats"]) is False
    assert policy.allows(asker(*ADAS), ["reload"]) is False


@pytest.mark.parametrize("platform", ["", "discord"])
def test_direct_messages_are_a_place_like_others(platform: str) -> None:
    direct = Place("discord", "", CHANNEL)
    assert Policy(direct_messages(platform, "on")).allows(asker(place=direct), ["ask"]) is True
    assert Policy(direct_messages(platform, "off")).allows(asker(place=direct), ["ask"]) is False
    pairing = Policy(direct_messages(platform, "pairing"))
    assert pairing.allows(asker(place=direct, known=False), ["ask"]) is None
    assert pairing.allows(asker(place=direct), ["ask"]) is False
    assert pairing.allows(asker(PAIRED, place=direct), ["ask"]) is True
    assert pairing.allows(asker(), ["ask"]) is True
    assert pairing.asks_for_pairing(asker(place=direct))
    assert not pairing.asks_for_pairing(asker())


@pytest.mark.parametrize(
    ("place", "is_direct"),
    [
        (Place("discord", "", CHANNEL), True),
        (HERE, False),
        (Place("slack", "T1", "D1", "1.2"), True),
        (Place("slack", "T1", "U1"), True),
        (Place("slack", "T1", "C1"), False),
        (Place("slack", "T1", "G1"), False),
        (Place("http"), False),
    ],
)
def test_a_direct_message_is_known_by_its_place(place: Place, is_direct: bool) -> None:
    assert place.is_direct is is_direct


@pytest.mark.parametrize(
    ("command", "text", "files", "wants"),
    [
        ("", "Why?", 0, ("ask",)),
        ("ask", "Why?", 1, ("ask", "describe")),
        ("", "👀", 1, ("describe",)),
        ("describe", "", 1, ("describe",)),
        ("diagnose_that", "1", 0, ("diagnose",)),
        ("alt_text", "1", 0, ("describe",)),
        ("person", "1", 0, ("ask",)),
        ("solved", "1", 0, ()),
        ("reload", "", 0, ("reload",)),
    ],
)
def test_each_message_wants_what_it_sets_going(command: str, text: str, files: int, wants: tuple[str, ...]) -> None:
    files_of_it = (Attachment("a.png", "image/png", 1, ""),) * files
    message = IncomingMessage("1", HERE, Author(ADA), text, command, attachments=files_of_it)
    assert wanted(message) == wants


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("permit", "", "", ""), "neither allow nor deny"),
        (("deny", "@ada", "", ""), "names nobody"),
        (("deny", "80351110224678912", "", ""), "names nobody"),
        (("deny", "discord:ada", "", ""), "names nobody"),
        (("deny", "slack:C012AB3CD", "", ""), "names nobody"),
        (("deny", "teams:1", "", ""), "names nobody"),
        (("deny", "", "#general", ""), "is no place"),
        (("deny", "", "discord/lab", ""), "is no place"),
        (("deny", "", "slack/T012AB3CD/general", ""), "is no place"),
        (("deny", "", "", "fly"), "is no command"),
        (("allow", "", "", "access"), "for admins alone"),
        (("allow", "", "", "audit"), "for admins alone"),
    ],
)
def test_words_that_mean_nothing_are_refused_with_those_that_do(words: tuple[str, str, str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked(*words)


WHO = st.sampled_from(["", f"discord:{ADA}", f"discord:role:{ROLE}", PAIRED, "slack:owner", "discord:owner"])
PLACE = st.sampled_from(["", "discord", f"discord/{SERVER}", f"discord/{SERVER}/{CATEGORY}", "direct"])
COMMAND = st.sampled_from(["", *OPEN_COMMANDS, *OWN_COMMANDS, *ADMIN_COMMANDS])
RULES = st.lists(st.builds(Rule, st.sampled_from(["allow", "deny"]), WHO, PLACE, COMMAND), max_size=6)
ASKERS = st.builds(
    Asker,
    st.just(f"discord:{ADA}"),
    st.sampled_from([HERE, Place("discord", "", CHANNEL)]),
    st.sampled_from([(), (CATEGORY,), (NO_CATEGORY,)]),
    st.frozensets(st.sampled_from([f"role:{ROLE}", "owner", PAIRED])),
    st.booleans(),
)
COMMANDS = st.sampled_from([*OPEN_COMMANDS, *OWN_COMMANDS, *ADMIN_COMMANDS, *KEPT_COMMANDS, "unheard of"])


@given(RULES, ASKERS, COMMANDS)
def test_one_more_deny_rule_never_opens_anything(rules: list[Rule], who: Asker, command: str) -> None:
    order = {False: 0, None: 1, True: 2}
    before = Policy(tuple(rules)).allows(who, [command])
    for more in (Rule("deny"), Rule("deny", f"discord:role:{ROLE}"), Rule("deny", command=command)):
        assert order[Policy((*rules, more)).allows(who, [command])] <= order[before]


@given(RULES, ASKERS, COMMANDS)
def test_the_order_of_the_rules_is_no_matter(rules: list[Rule], who: Asker, command: str) -> None:
    assert Policy(tuple(rules)).allows(who, [command]) == Policy(tuple(rules[::-1])).allows(who, [command])


@given(RULES, ASKERS, COMMANDS)
def test_what_is_certain_with_roles_unknown_stays_so_whatever_they_are(
    rules: list[Rule], who: Asker, command: str
) -> None:
    policy = Policy(tuple(rules))
    unsure = Asker(who.person_id, who.place, who.groups_of_place, frozenset(), False)
    verdict = policy.allows(unsure, [command])
    sure = Asker(who.person_id, who.place, who.groups_of_place, who.roles, True)
    assert verdict is None or policy.allows(sure, [command]) == verdict


@given(ASKERS, COMMANDS)
def test_only_admins_use_what_cannot_be_given_away(who: Asker, command: str) -> None:
    everything = tuple(Rule("allow", command=name) for name in (*OPEN_COMMANDS, *OWN_COMMANDS, *ADMIN_COMMANDS))
    kept = is_for_admins(command) and command not in ADMIN_COMMANDS
    assert Policy(everything).allows(who, [command]) is not kept
