"""CommonMark as Slack shows it, and what people write on Slack as CommonMark."""

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.slack.message_text import commonmark, mentions
from adapters.slack.mrkdwn import escape, link, render

SPACE = "\u200b"
TICKS = SPACE.join("```")

EXAMPLES = {
    "emphasis": ("**bold** *it* _it_ ~~gone~~ ***both***", "*bold* _it_ _it_ ~gone~ _*both*_"),
    "emphasis within a word": ("foo**bar**baz", f"foo{SPACE}*bar*{SPACE}baz"),
    "emphasis in a language without spaces": ("これは**太字**です", f"これは{SPACE}*太字*{SPACE}です"),
    "emphasis before punctuation": ("**Note:** (*this*), _that_.", "*Note:* (_this_), _that_."),
    "two emphases side by side": ("*a***b**", f"_a_{SPACE}*b*"),
    "strong in strong": ("**a **b** c**", "*a b c*"),
    "emphasis over a break": ("**a\\\nb**", "*a*\n*b*"),
    "space at the edge of an emphasis": ("**a&#32;** b", "*a*  b"),
    "a mark at the edge of an emphasis": (r"**a\*** b", f"*a*{SPACE}* b"),
    "entities": ("a < b && c > d &copy;", "a &lt; b &amp;&amp; c &gt; d ©"),
    "one sign has no partner": ("~5 files match *.py in a_b", "~5 files match *.py in a_b"),
    "signs within words": (r"2\*3\*4 snake_case_name", "2*3*4 snake_case_name"),
    "signs that would format": (
        r"\*a\* \_b\_ \~c\~",
        f"{SPACE}*{SPACE}a{SPACE}* _{SPACE}b{SPACE}_ ~{SPACE}c{SPACE}~{SPACE}",
    ),
    "signs between spaces": ("2 * 3 * 4", "2 * 3 * 4"),
    "backticks in text": (r"\`a\` b", "ˋaˋ b"),
    "code": ("`a*b_c*` x`y`z", f"`a*b_c*` x{SPACE}`y`{SPACE}z"),
    "code with backticks": ("`` a`b ``", "`aˋb`"),
    "code in bold": ("**use `x` now**", "*use* `x` *now*"),
    "link": ("[the *docs*](https://a.b/c?d=1&e=2)", "<https://a.b/c?d=1&amp;e=2|the docs>"),
    "bold link": ("[**docs**](https://a.b)", "*<https://a.b|docs>*"),
    "bars and brackets": ("[a|b>c](https://a.b/c|d)", "<https://a.b/c%7Cd|a¦b&gt;c>"),
    "bare address": ("see https://a.b/c_d_e?f=1&g=2.", "see <https://a.b/c_d_e?f=1&amp;g=2>."),
    "autolink": ("<https://a.b>", "<https://a.b>"),
    "mail": ("<me@a.b> [write](mailto:me@a.b)", "<mailto:me@a.b|me@a.b> <mailto:me@a.b|write>"),
    "label that is another address": ("[https://bank.com](https://evil.com)", "https://bank.com (<https://evil.com>)"),
    "label with a hidden dot": ("[bank\u200b．com](https://evil.com)", "bank\u200b．com (<https://evil.com>)"),
    "label that names its host": ("[bank.com](https://login.bank.com/x)", "<https://login.bank.com/x|bank.com>"),
    "address that leads nowhere": ("[here](./install.md) [x](slack://a)", "here x"),
    "image": ("![a cat](https://a.b/c.png) ![](https://a.b/d.png)", "<https://a.b/c.png|a cat> <https://a.b/d.png>"),
    "headings": ("# A **b** `c`\ntext\n\nD\n==", "*A b* `c`\ntext\n\n*D*"),
    "wrapped lines and breaks": ("a\nb  \nc\\\nd", "a b\nc\nd"),
    "lists": ("* a\n  * b\n    * c\n      1. d\n* e", "• a\n    ◦ b\n        ▪ c\n            1. d\n• e"),
    "list from nine": ("9. a\n10. b", "9. a\n10. b"),
    "paragraphs in an item": ("- a\n\n  b\n\n- c", "• a\n    b\n• c"),
    "tasks": ("- [ ] a\n- [x] b", "• ☐ a\n• ☑ b"),
    "code in a list": ("1. a\n   ```sh\n   ls\n   ```\n2. b", "1. a\n```\nls\n```\n2. b"),
    "code alone in an item": ("- ```\n  ls\n  ```", "•\n```\nls\n```"),
    "quotation": ("> a\n> b\n>\n> - c\n\nd", "> a b\n> \n> • c\n\nd"),
    "code in a quotation": ("> a\n> ```\n> x\n> ```", "> a\n\n```\nx\n```"),
    "what is no quotation": (r"\> a", f"{SPACE}&gt; a"),
    "rule": ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
    "fence": ("```py\n*x* < <!here>\n```", "```\n*x* &lt; &lt;!here&gt;\n```"),
    "fence in a fence": ("````md\n```\nx\n```\n````", f"```\n{TICKS}\nx\n{TICKS}\n```"),
    "empty fence": ("```\n```", f"```\n{SPACE}\n```"),
    "html": ("<div>a</div>", "&lt;div&gt;a&lt;/div&gt;"),
    "mentions": (
        "<!channel> <!here> <!everyone> <!subteam^S1> <@U1> <#C1> <!date^1^{date}|x>",
        "&lt;!channel&gt; &lt;!here&gt; &lt;!everyone&gt; &lt;!subteam^S1&gt; &lt;@U1&gt; &lt;#C1&gt; "
        "&lt;!date^1^{date}|x&gt;",
    ),
    "mentions by name": ("@channel @here @Everyone @ann", f"@{SPACE}channel @{SPACE}here @{SPACE}Everyone @ann"),
    "table": (
        "| name | n |\n|:--|--:|\n| *漢字* | 1 |\n| [x](https://a.b) & y | 1000 |",
        "```\nname                |    n\n--------------------+-----\n漢字                |    1\n"
        "x (https://a.b) &amp; y | 1000\n```",
    ),
    "citations": ("Yes [1], no [2].", "Yes [1], no [2]."),
    "nothing": (" \n", ""),
}


@pytest.mark.parametrize(("text", "mrkdwn"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_rendered(text: str, mrkdwn: str) -> None:
    assert render(text) == mrkdwn


# What Slack makes of a line, as far as its documentation and its users tell: a mark opens after a boundary and before
# anything but a space, closes after anything but a space and before a boundary; a zero-width space counts as both.
_ENTITY = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_PART = re.compile(r"`([^`\n]+)`|<([^<>|\n]+)(?:\|([^<>\n]+))?>|(&lt;|&gt;|&amp;)|([\s\S])")
_TAGS = {"*": "strong", "_": "em", "~": "s"}

Shown = tuple[str, frozenset[str]]


def _is_space(character: str) -> bool:
    return not character or character.isspace() or character == SPACE


def _is_boundary(character: str) -> bool:
    return not character.isalnum()


def _parts(mrkdwn: str) -> Iterator[tuple[str, str]]:
    """Yield (what is shown, what else it is), sign by sign outside code and links."""
    for code, url, label, entity, character in _PART.findall(mrkdwn):
        if code or url:
            yield re.sub("&(?:lt|gt|amp);", lambda m: _ENTITY[m[0]], code or label or url), "code" if code else "link"
        else:
            yield _ENTITY.get(entity, character), ""


def _reader(mrkdwn: str) -> list[Shown]:
    parts = list(_parts(mrkdwn))
    open_at: dict[str, int] = {}
    spans: list[tuple[int, int, str]] = []
    for at, (sign, kind) in enumerate(parts):
        before = parts[at - 1][0][-1] if at else ""
        after = parts[at + 1][0][0] if at + 1 < len(parts) else ""
        if kind or sign not in _TAGS:
            continue
        if sign in open_at and not _is_space(before) and _is_boundary(after):
            spans.append((open_at.pop(sign), at, _TAGS[sign]))
        elif not _is_space(after) and _is_boundary(before):
            open_at.setdefault(sign, at)
    marks = {at for start, end, _ in spans for at in (start, end)}
    return [
        (character, frozenset({kind} - {""} | {tag for start, end, tag in spans if start < at < end}))
        for at, (text, kind) in enumerate(parts)
        if at not in marks
        for character in text
        if character != SPACE and not character.isspace()
    ]


def _meant(text: str) -> list[Shown]:
    """What CommonMark says of a line without links, read by its own parser."""
    tokens = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").parseInline(text)[0].children or []
    open_tags: list[str] = []
    shown: list[Shown] = []
    for token in tokens:
        if token.nesting:
            (open_tags.append if token.nesting > 0 else open_tags.remove)(token.tag)
        kinds = frozenset({"code"} if token.type == "code_inline" else open_tags)
        shown += [(character, kinds) for character in token.content if not character.isspace()]
    return shown


nasty = st.text(alphabet="ab1 *_~`|@#()-\\.&é漢", max_size=40)
nasty_texts = st.one_of(st.text(), st.text(alphabet="ab1 *_~`|<>@#:()[]!-+\\.&;\t\n漢", max_size=120))


@given(nasty_texts)
def test_a_title_is_shown_as_it_stands(title: str) -> None:
    words = re.sub(rf"\s|{SPACE}", "", title).replace("`", "ˋ")
    alone = _reader(escape(title))
    assert "".join(character for character, _ in alone) == words
    assert not any(styles for _, styles in alone)
    label = _reader(link("x" + title, "https://a.b/c?d"))
    assert "".join(character for character, _ in label).startswith("x" + words[:1].replace("|", "¦"))


@given(st.sampled_from(("x ", r"\* ")), nasty)
def test_a_line_is_shown_with_the_words_and_emphasis_that_commonmark_gives_it(start: str, line: str) -> None:
    seen, meant = _reader(render(start + line)), _meant(start + line)
    assert [character.replace("`", "ˋ") for character, _ in seen] == [
        character.replace("`", "ˋ") for character, _ in meant
    ]
    for (_, styles), (character, expected) in zip(seen, meant, strict=True):
        assert styles == expected or not character.isalnum()


@given(
    st.lists(st.sampled_from(["https://a.b/_c_d", " ", "**", "*", "~~", "x", "`", "(", ")", ".", "_", "|", "@here"]))
)
def test_bare_addresses_among_marks_are_shown_whole(pieces: list[str]) -> None:
    text = "x " + "".join(pieces)
    seen = "".join(character for character, _ in _reader(render(text)))
    meant = "".join(character for character, _ in _meant(text))
    assert seen.replace("%40", "@").replace("`", "ˋ") == meant.replace("`", "ˋ")


def _spoken(text: str) -> Iterator[str]:
    tokens = (
        MarkdownIt("commonmark", {"html": False, "maxNesting": 1000}).enable(["table", "strikethrough"]).parse(text)
    )
    for token in tokens:
        yield token.content if token.type in ("fence", "code_block") else ""
        for child in token.children or []:
            yield child.content if child.type in ("text", "code_inline") else " "


@given(nasty_texts)
def test_every_word_survives(text: str) -> None:
    said = render(text).replace(SPACE, "")
    for word in re.findall(r"[a-z0-9]+", " ".join(_spoken(text))):
        assert word in said


@given(nasty_texts)
def test_nothing_is_left_that_slack_reads_as_a_mention(text: str) -> None:
    for mrkdwn in (render(text), escape(text), render(render(text))):
        assert all(
            match[1].startswith(("http://", "https://", "mailto:")) for match in re.finditer("<([^>]*)>?", mrkdwn)
        )
        assert not re.search("&(?!lt;|gt;|amp;)", mrkdwn)


@given(
    st.lists(st.sampled_from(["@channel", "<!here>", "<@U1>", "@here", "*", "`", "\n", "> ", "- ", "[a](", ")", "\\"]))
)
def test_no_text_made_of_mentions_and_markup_mentions_anybody(pieces: list[str]) -> None:
    mrkdwn = render("".join(pieces))
    assert not re.search(r"<[!@#]", mrkdwn)
    outside_code = re.sub(r"```[\s\S]*?```|`[^`\n]+`", "", mrkdwn)
    assert not re.search("@(channel|here)", outside_code)


def test_a_text_nested_too_deeply_is_shown_as_written() -> None:
    assert render("- " * 60 + "here") == "- " * 60 + "here"


def test_a_long_text_is_rendered_in_time() -> None:
    started = time.perf_counter()
    for text in ("*a **b ", "![", "> a\n", "- a\n", "a_b*", "| a "):
        render(text * (20_000 // len(text)))
    assert time.perf_counter() - started < 10


def test_a_title_does_not_link_itself() -> None:
    assert escape("README.md at https://a.b") == f"README{SPACE}.md at https:{SPACE}//a{SPACE}.b"


def test_a_link_is_made_of_a_title() -> None:
    assert link("Install *now*", "https://a.b/(c)") == f"<https://a.b/(c)|Install *{SPACE}now{SPACE}*{SPACE}>"
    assert link("bank.com", "https://evil.com") == f"bank{SPACE}.com (<https://evil.com>)"
    assert link("", "https://a.b") == "<https://a.b>"
    assert link("> Notes", "notes.md") == f"{SPACE}&gt; Notes"


NAMES = {"U1": "Ann", "S2": "team", "C2": "dev"}
INCOMING = {
    "people": ("<@U1> <@W9> <@U2|bob>", "@Ann @someone @bob"),
    "channels": ("<#C1|general> <#C2> <#C3>", "#general #dev #channel"),
    "groups": ("<!subteam^S1|@crew> <!subteam^S2> <!subteam^S3>", "@crew @team @group"),
    "the crowd": ("<!here> <!channel|channel> <!everyone|@everyone>", "@here @channel @everyone"),
    "dates": ("<!date^1392734382^{date}|Feb 18> <!date^1392734382^{date}>", "Feb 18 1392734382"),
    "links": (
        "<https://x.y|label [1]> <https://x.y> <https://x.y/(a)|b>",
        r"[label \[1\]](https://x.y) <https://x.y> [b](https://x.y/%28a%29)",
    ),
    "typed domain": ("<http://x.y|x.y>", "x.y"),
    "mail": ("<mailto:a@b.cd|a@b.cd> <mailto:a@b.cd|mail>", "a@b.cd [mail](mailto:a@b.cd)"),
    "other schemes": ("<tel:+123|call> <slack://x>", "call slack://x"),
    "entities": ("&amp;lt; &lt;b&gt; <https://x.y?a=1&amp;b=2>", "&lt; <b> <https://x.y?a=1&b=2>"),
    "emphasis": ("*bold* _it_ ~s~ *_both_*", "**bold** *it* ~~s~~ ***both***"),
    "emphasis around a mention": ("*see <@U1> and `x`*", "**see @Ann and `x`**"),
    "signs in words": ("snake_case_x 2*3*4 a ~ b ~ c", "snake_case_x 2*3*4 a ~ b ~ c"),
    "code": ("`*c* &lt; <https://x.y|x.y>`", "`*c* < x.y`"),
    "fence": ("see ```a &lt; *b*\n_c_``` there", "see \n```a < *b*\n_c_\n```\n there"),
    "fence in one line": ("```a &amp; b```", "```a & b```"),
    "quotation": ("&gt; a\nb", "> a\nb"),
    "lists": ("• a\n    ◦ b\n        ▪︎ c\n• d", "- a\n    - b\n        - c\n- d"),
}


@pytest.mark.parametrize(("content", "text"), INCOMING.values(), ids=INCOMING)
def test_a_message_is_read(content: str, text: str) -> None:
    assert commonmark(content, NAMES) == text


def test_those_a_message_names_are_told_once_and_in_order() -> None:
    message = "<!subteam^S1|@crew> <@U1> <@W2|bob> <@U1> <#C1> <!here> &lt;@U3&gt;"
    assert mentions(message) == ("group:S1", "user:U1", "user:W2", "channel:C1")


@given(st.one_of(st.text(), st.text(alphabet="<@!#^|U1S>`*_~&;lgt \n•")))
def test_any_message_is_read(content: str) -> None:
    assert isinstance(commonmark(content, NAMES), str)
    assert all(name.startswith(("user:", "group:")) for name in mentions(content))
