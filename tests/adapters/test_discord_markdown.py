"""CommonMark as Discord shows it, and what people write on Discord as CommonMark."""

import re
import time
from collections.abc import Generator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.discord.markdown import escape, link, render
from adapters.discord.message_text import commonmark, mentions

SPACE = "\u200b"
TICKS = SPACE.join("```")

EXAMPLES = {
    "emphasis": ("**bold** *it* _it_ ~~gone~~ ***both***", "**bold** *it* *it* ~~gone~~ ***both***"),
    "emphasis within a word": ("foo**bar**baz", "foo**bar**baz"),
    "two emphases side by side": ("*a***b**", f"*a*{SPACE}**b**"),
    "strong in strong": ("**a **b** c**", "**a b c**"),
    "signs in text": (r"2 \* 3 a_b ~5 a|b c:\d", r"2 \* 3 a\_b \~5 a\|b c:\\d"),
    "code": ("`a*b` ``a`b`` `` ` ``", "`a*b` ``a`b`` `` ` ``"),
    "code with more backticks than Discord can delimit": ("```a``b`c```", f"``a`{SPACE}`b`c``"),
    "code with a mark inside bold": ("**use `a**b` now**", "**use** `a**b` **now**"),
    "masked link": ("[the *docs*](https://a.b/c?d=1&e=2)", "[the docs](<https://a.b/c?d=1&e=2>)"),
    "bold link": ("[**docs**](https://a.b)", "**[docs](<https://a.b>)**"),
    "brackets in an address": ("[x](https://a.b/c_(d))", "[x](<https://a.b/c_%28d%29>)"),
    "bare address": ("see https://a.b/c_d_e.", "see <https://a.b/c_d_e>."),
    "bare address with brackets": ("(https://a.b/c_(d))", "(<https://a.b/c_(d)>)"),
    "autolink": ("<https://a.b>", "<https://a.b>"),
    "odd mail": ("<a|b@c.d>", r"a\|b@c.d"),
    "mail": ("<me@a.b> [write](mailto:me@a.b)", "me@a.b write (me@a.b)"),
    "label that is another address": (
        "[https://bank.com](https://evil.com)",
        r"https\://bank.com (<https://evil.com>)",
    ),
    "label that names another host": ("[go to bank.com](https://evil.com)", "go to bank.com (<https://evil.com>)"),
    "label that names its host": (
        "[www.bank.com](https://login.bank.com/x)",
        "[www.bank.com](<https://login.bank.com/x>)",
    ),
    "label that is a file": ("[notes.txt](https://a.b)", "[notes.txt](<https://a.b>)"),
    "label with one bracket": (r"[a\[1](https://a.b)", "a[1 (<https://a.b>)"),
    "label with brackets": ("[a [1]](https://a.b)", "[a [1]](<https://a.b>)"),
    "address that leads nowhere": ("[here](./install.md) [x](ftp://a.b)", "here x"),
    "what only looks like a link": (r"[1]\(http://a.b)", r"[1]\(<http://a.b>)"),
    "image": ("![a cat](https://a.b/c.png) ![](https://a.b/d.png)", "[a cat](<https://a.b/c.png>) <https://a.b/d.png>"),
    "linked image": ("[![build](https://a.b/c.svg)](https://a.b)", "[build](<https://a.b>)"),
    "headings": ("# A *b*\ntext\n### C\n#### D **e**", "# A *b*\ntext\n\n### C\n**D e**"),
    "heading in a list": ("- # A", "- **A**"),
    "wrapped lines and breaks": ("a\nb  \nc\\\nd", "a b\nc\nd"),
    "lists": ("* a\n  * b\n    1. c\n    2. d\n* e", "- a\n  - b\n    1. c\n    2. d\n- e"),
    "list from ten": ("10. a\n    - b\n11. c", "10. a\n    - b\n11. c"),
    "tasks": ("- [ ] a\n- [x] b\n- [y] c", "- ☐ a\n- ☑ b\n- [y] c"),
    "code in a list": ("1. a\n\n   ```sh\n   ls\n\n   ls\n   ```", "1. a\n   ```sh\n   ls\n\n   ls\n   ```"),
    "quotation": ("> a\n> b\n>\n> - c", "> a b\n> \n> - c"),
    "code in a quotation": ("> ```py\n> x\n> ```", "> ```py\n> x\n> ```"),
    "rule": ("a\n\n***\n\nb", "a\n\n────────────\n\nb"),
    "fence": ("```py\n*x* <@1>\n```", "```py\n*x* <@1>\n```"),
    "fence with a caption": ("```py title=x\nx\n```", "```py\nx\n```"),
    "fence in a fence": ("````md\n```\nx\n```\n````", f"```md\n{TICKS}\nx\n{TICKS}\n```"),
    "empty fence": ("```\n```", f"```\n{SPACE}\n```"),
    "indented code": ("    x\n    y", "```\nx\ny\n```"),
    "html": ("<div>a *b*</div>", r"\<div>a *b*\</div>"),
    "mentions": (
        "<@1> <@!1> <@&1> <#1> @everyone @here",
        rf"\<{SPACE}@1> \<{SPACE}@!1> \<{SPACE}@&1> \<{SPACE}#1> @{SPACE}everyone @{SPACE}here",
    ),
    "times, commands and emoji": ("<t:1:R> </ask:1> <:x:1> <a:x:1>", r"\<t:1:R> \</ask:1> \<\:x:1> \<a\:x:1>"),
    "the crowd in an address": ("https://a.b/@everyone", "<https://a.b/%40everyone>"),
    "spoiler": ("||a||", r"\|\|a\|\|"),
    "small print": ("-# a", r"\-# a"),
    "line starts": (
        "\\# a\\\n\\- b\\\n\\> c\\\n\\>>> d\\\n1\\. e\\\n-# f\\\n**\\# g**",
        "\\# a\n\\- b\n\\> c\n\\>>> d\n1\\. e\n\\-# f\n**\\# g**",
    ),
    "shrug": (r"¯\\\_(ツ)\_/¯", r"¯\\\_(ツ)\_/¯"),
    "table": (
        "| name | n |\n|:--|--:|\n| *漢字* | 1 |\n| [x](https://a.b) | 1000 |",
        "```\nname            |    n\n----------------+-----\n漢字            |    1\nx (https://a.b) | 1000\n```",
    ),
    "citations": ("Yes [1], no [2].", "Yes [1], no [2]."),
    "nothing": (" \n", ""),
}


@pytest.mark.parametrize(("text", "markdown"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_rendered(text: str, markdown: str) -> None:
    assert render(text) == markdown


# What the client does with a message, after the rules of the simple-markdown library and Discord's own, in their order.
_BLOCKS = {
    "heading": re.compile(r"#{1,3} +[^\n]+"),
    "small print": re.compile(r"-# +[^\n]+"),
    "list": re.compile(r" *(?:[-*]|\d+\.) "),
    "quotation": re.compile(r" *>(?:>>)? "),
}
_FENCE = re.compile(r"```(?:[a-z0-9_+\-.#]+?\n)?\n*([^\n][\s\S]*?)\n*```", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_CODE = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_AUTOLINK = re.compile(r"<([^: >]+:/[^ >]+)>|(https?://[^\s<]+[^<.,:;\"')\]\s])")
_MASKED = re.compile(r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?\s*\)")
_EMPHASES = {
    "em": re.compile(
        r"\b_((?:__|\\[\s\S]|[^\\_])+?)_\b"
        r"|\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)"
    ),
    "strong": re.compile(r"\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)"),
    "underline": re.compile(r"__((?:\\[\s\S]|[^\\])+?)__(?!_)"),
    "s": re.compile(r"~~([\s\S]+?)~~(?!_)"),
    "spoiler": re.compile(r"\|\|([\s\S]+?)\|\|"),
}
_MENTION = re.compile(r"@everyone|@here|<(?:@[!&]?|#|t:-?|a?:\w+:|/[^:>]+:|id:)\w")
_TEXT = re.compile(r"[\s\S]+?(?=[^0-9A-Za-z\s\u00c0-\uffff]|\n|\w+:\S|$)")

Shown = tuple[str, frozenset[str]]


def _client(source: str, styles: frozenset[str] = frozenset(), starts: bool = True) -> Iterator[Shown]:
    """Yield each character a reader sees with all that makes it look other than plain."""
    at = 0
    while at < len(source):
        if starts or source[at - 1] == "\n":
            for name, block in _BLOCKS.items():
                if block.match(source, at):
                    styles |= {name}
        starts = False
        at = yield from _next(source, at, styles)


def _next(source: str, at: int, styles: frozenset[str]) -> Generator[Shown, None, int]:
    rest = source[at:]
    if match := _FENCE.match(rest):
        yield from ((character, styles | {"fence"}) for character in match[1])
    elif match := _ESCAPE.match(rest):
        yield match[1], styles
    elif match := _AUTOLINK.match(rest):
        yield from ((character, styles | {"link"}) for character in match[1] or match[2])
    elif match := _MASKED.match(rest):
        yield from _client(match[1], styles | {"link"}, starts=False)
    elif match := _CODE.match(rest):
        code = re.sub(r"^ (?= *`)|(` *) $", r"\1", match[2])
        yield from ((character, styles | {"code"}) for character in code)
    elif match := _MENTION.match(rest):
        yield from ((character, styles | {"mention"}) for character in match[0])
    elif found := [(len(match[0]), name, match) for name, rule in _EMPHASES.items() if (match := rule.match(rest))]:
        _, name, match = max(found, key=lambda emphasis: emphasis[0])
        inner = next(group for group in match.groups() if group is not None)
        yield from _client(inner, styles | {name}, starts=False)
    else:
        match = _TEXT.match(rest)
        assert match
        yield from ((character, styles) for character in match[0])
    return at + len(match[0])


def _seen(markdown: str) -> list[Shown]:
    return [shown for shown in _client(markdown) if shown[0] != SPACE and not shown[0].isspace()]


def _meant(text: str) -> list[Shown]:
    """What CommonMark says of a line without links, read by its own parser."""
    tokens = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").parseInline(text)[0].children or []
    open_tags: list[str] = []
    shown: list[Shown] = []
    for token in tokens:
        if token.nesting == 1 and token.tag != "a":
            open_tags.append(token.tag)
        elif token.nesting == -1 and token.tag != "a":
            open_tags.remove(token.tag)
        kinds = frozenset({*open_tags, "code"} if token.type == "code_inline" else open_tags)
        shown += [(character, kinds) for character in token.content if not character.isspace()]
    return shown


nasty = st.text(alphabet="ab1 *_~`|<>@#:()-\\.&é", max_size=40)
nasty_texts = st.one_of(st.text(), st.text(alphabet="ab1 *_~`|<>@#:()[]!-+\\.&\t\n漢", max_size=120))


@given(nasty_texts)
def test_a_title_is_shown_as_it_stands(title: str) -> None:
    shown = _seen(escape(title))
    assert "".join(character for character, _ in shown) == re.sub(rf"\s|{SPACE}", "", title)
    assert not any(styles for _, styles in shown)


@given(st.sampled_from(("x ", "\\* ")), nasty)
def test_a_line_is_shown_with_the_words_and_emphasis_that_commonmark_gives_it(start: str, line: str) -> None:
    text = start + line
    seen, meant = _seen(render(text)), _meant(text)
    assert [character for character, _ in seen] == [character for character, _ in meant]
    plain = [
        (left, right) for left, right in zip(seen, meant, strict=True) if left[0].isalnum() and "code" not in right[1]
    ]
    assert [left[1] - {"link"} for left, _ in plain] == [right[1] for _, right in plain]
    assert [("code" in styles) for _, styles in seen] == [("code" in styles) for _, styles in meant]


@given(
    st.lists(st.sampled_from(["https://a.b/_c_d", " ", "**", "*", "~~", "x", "`", "(", ")", ".", "_", "|", "@here"]))
)
def test_bare_addresses_among_marks_are_shown_whole(pieces: list[str]) -> None:
    text = "x " + "".join(pieces)
    seen = "".join(character for character, _ in _seen(render(text)))
    meant = "".join(character for character, _ in _meant(text))
    assert seen.replace("%40", "@").replace("%7E", "~").replace("`", "ˋ") == meant.replace("`", "ˋ")


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
    said = re.sub(rf"[\\{SPACE}]", "", render(text))
    for word in re.findall(r"[a-z0-9]+", " ".join(_spoken(text))):
        assert word in said


@given(nasty_texts)
def test_nothing_outside_code_can_be_heard_as_a_mention(text: str) -> None:
    for markdown in (render(text), escape(text), render(render(text))):
        outside_code = re.sub(r"```[\s\S]*?```|(`{1,2})(?!`)[\s\S]*?[^`]\1(?!`)", "", markdown)
        assert not re.search(r"<[@#]|@everyone|@here", outside_code)


@given(
    st.lists(st.sampled_from(["@everyone", "<@1>", "<@&2>", "@here", "*", "`", "\n", "> ", "- ", "[a](", ")", "\\"]))
)
def test_no_text_made_of_mentions_and_markup_mentions_anybody(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert not any("mention" in styles for _, styles in _seen(render(text)) if not styles & {"code", "fence"})


def test_a_text_nested_too_deeply_is_shown_as_written() -> None:
    assert render("> " * 60 + "here") == "\\" + "> " * 60 + "here"


def test_a_long_text_is_rendered_in_time() -> None:
    started = time.perf_counter()
    for text in ("*a **b ", "![", "> a\n", "- a\n", "a_b*", "| a "):
        render(text * (20_000 // len(text)))
    assert time.perf_counter() - started < 10


def test_a_link_is_made_of_a_title() -> None:
    assert link("Install *now* [1]", "https://a.b/(c)") == r"[Install \*now\* [1]](<https://a.b/%28c%29>)"
    assert link("https://bank.com", "https://evil.com") == r"https\://bank.com (<https://evil.com>)"
    assert link("", "https://a.b") == "<https://a.b>"
    assert link("# Notes", "notes.md") == r"\# Notes"


NAMES = {"1": "Ann", "3": "mods", "4": "general"}
INCOMING = {
    "people": ("<@1> <@!1> <@2>", "@Ann @Ann @someone"),
    "roles and channels": ("<@&3> <@&5> <#4> <#6>", "@mods @role #general #channel"),
    "emoji": ("<:smile:55> <a:dance:66>", ":smile: :dance:"),
    "commands": ("</ask:1> </data export:2>", "/ask /data export"),
    "times": ("<t:1700000000:R> <t:1700000000:t> <t:1700000000:d>", "2023-11-14 22:13 UTC 22:13 UTC 2023-11-14"),
    "time beyond the calendar": ("<t:999999999999>", "second 999999999999"),
    "spoiler": ("||it `a||b` was|| him", "it `a||b` was him"),
    "small print": ("-# a\nb", "a\nb"),
    "quotation to the end": (">>> a\nb", "> a\nb"),
    "code": ("`<@1>` ``a`<@1>`` ```<@1>```", "`<@1>` ``a`<@1>`` ```<@1>```"),
    "fence in a line": ("see ```py\n<@1>\n``` there", "see \n```py\n<@1>\n```\n there"),
    "fence on lines of its own": ("```py\nx```\nb", "```py\nx\n```\nb"),
    "what Discord shares with CommonMark": (
        "# A\n- **b** *c* ~~d~~ [e](https://f.g)",
        "# A\n- **b** *c* ~~d~~ [e](https://f.g)",
    ),
}


@pytest.mark.parametrize(("content", "text"), INCOMING.values(), ids=INCOMING)
def test_a_message_is_read(content: str, text: str) -> None:
    assert commonmark(content, NAMES) == text


def test_those_a_message_names_are_told_once_and_in_order() -> None:
    assert mentions("<@&2> <@1> <@!1> `<@3>` <#4> <:a:5>") == ("role:2", "user:1", "channel:4")


@given(st.one_of(st.text(), st.text(alphabet="<@!&#:t/a12>`|-> \n~*_")))
def test_any_message_is_read(content: str) -> None:
    assert isinstance(commonmark(content, NAMES), str)
    assert all(name.startswith(("user:", "role:")) for name in mentions(content))
