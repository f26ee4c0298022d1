"""Hypothesis strategies for CommonMark documents: all blocks, nested, with everything that is awkward to cut."""

import re
from itertools import count

from hypothesis import strategies as st

EMOJI = ["👩‍👩‍👧‍👦", "🇫🇷", "☝🏽", "1️⃣", "🏳️‍🌈", "e\u0301", "क्षि", "각", "a" + "\u0300\u0316" * 6, "مرحبا"]
MENTIONS = ["<@123>", "<@!1>", "<@&1>", "<#1>", "<:name:1>", "<a:name_x:1>", "<t:1:R>", ":short_code:", "<@U1>"]
MENTIONS += ["<!subteam^S1>", "<https://x.example/a|label>", "https://example.org/a_b?c=d&e=f*g", "</ask:1>"]

letters = st.text(st.sampled_from("abcdefgh äöü你好。"), min_size=1, max_size=12)
awkward = st.text(st.sampled_from("*_`~[]()<>&\\!#-+=|:.\"' ab1\n"), min_size=1, max_size=12)
word = st.one_of(
    letters,
    st.text(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=9),
    st.sampled_from(EMOJI + MENTIONS),
    st.sampled_from(["1.", "2)", "-", "+", "#", ">", "===", "---", "***", "~~~", "&amp;", "&lt;b&gt;", "\\*", "[1]"]),
    st.sampled_from(["Yes.", "No! It is.", "Why? “So.”", "e.g.", "3.14", "&nbsp;", "snake_case", "a*b", "<b>", "</i>"]),
    awkward,
)
ADDRESSES = ["https://example.org", "/a_b", "<a b>", "#x", "https://example.org/(a)", 'u "a title"', "mailto:a@b.c"]


def _spaced(parts: list[str]) -> str:
    return " ".join(parts)


def _spans(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    text = st.lists(inner, min_size=1, max_size=3).map(_spaced)
    marked = st.tuples(st.sampled_from(["*", "_", "**", "__", "~~", "***"]), text).map(lambda m: f"{m[0]}{m[1]}{m[0]}")
    links = st.tuples(st.sampled_from(["", "!"]), text, st.sampled_from(ADDRESSES)).map(
        lambda m: f"{m[0]}[{m[1]}]({m[2]})"
    )
    references = st.tuples(text, st.sampled_from(["[ref]", ""])).map(lambda m: f"[{m[0]}]{m[1]} [ref]")
    return st.one_of(text, marked, marked, links, references)


code_span = st.tuples(st.sampled_from(["`", "``"]), word).map(lambda m: f"{m[0]}{m[1]}{m[0]}")
inline = st.recursive(st.one_of(word, word, code_span), _spans, max_leaves=5)
line = st.lists(inline, min_size=1, max_size=5).map(_spaced)
one_line = line.map(lambda text: text.replace("\n", " "))
paragraph = st.lists(line, min_size=1, max_size=3).flatmap(
    lambda lines: st.sampled_from(["\n", "  \n", "\\\n"]).map(lambda line_break: line_break.join(lines))
)
heading = st.one_of(
    st.tuples(st.integers(1, 6), one_line).map(lambda m: f"{'#' * m[0]} {m[1]}"),
    st.tuples(paragraph, st.sampled_from("=-")).map(lambda m: f"{m[0]}\n{m[1] * 3}"),
)
code = st.lists(st.one_of(one_line, st.sampled_from(["", "\tx = 1", "    y", "``", "~~"])), max_size=5)
fence = st.tuples(st.sampled_from(["```", "~~~", "`````"]), st.sampled_from(["", "python", "c++ x=1"]), code).map(
    lambda m: "\n".join((f"{m[0]}{m[1]}", *m[2], m[0]))
)
indented = code.map(lambda lines: "\n".join(f"    {text}" for text in ["x", *lines]))
html = st.tuples(st.sampled_from(["<div>\n{}\n</div>", "<!-- {} -->", "<p>{}", "<b>\n{}"]), one_line).map(
    lambda m: m[0].replace("{}", m[1])
)


def _table(rows: list[list[str]]) -> str:
    header, *body = ["| " + " | ".join(cell.replace("|", "\\|").strip() for cell in row) + " |" for row in rows]
    return "\n".join((header.replace("| ", "| № ", 1), "| --- | :-: |", *body))


table = st.lists(st.lists(one_line, min_size=2, max_size=2), min_size=1, max_size=4).map(_table)
leaf = st.one_of(paragraph, paragraph, heading, fence, indented, html, table, st.just("---"), st.just("[ref]: /u 'T'"))


def _prefixed(text: str, first: str, rest: str) -> str:
    return "\n".join(f"{rest if number else first}{row}" for number, row in enumerate(text.split("\n")))


def _nested(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(blocks, min_size=1, max_size=4)
    inside = several.map("\n\n".join)
    quote = inside.map(lambda text: _prefixed(text, "> ", "> "))
    items = st.lists(st.one_of(blocks, inside, st.just("")), min_size=1, max_size=4)
    marker = st.sampled_from(["- ", "* ", "+ ", "1. ", "7) ", "99. "])
    lists = st.tuples(items, marker, st.sampled_from(["\n", "\n\n"])).map(
        lambda m: m[2].join(_prefixed(item, m[1], " " * len(m[1])) for item in m[0])
    )
    return st.one_of(inside, quote, lists)


def _number_tables(text: str) -> str:
    """Give every table a header of its own, so that a repeated one is told from another."""
    numbers = count()
    return re.sub("№", lambda _: f"№{next(numbers)}", text)


documents = (
    st.lists(st.recursive(leaf, _nested, max_leaves=4), min_size=1, max_size=6).map("\n\n".join).map(_number_tables)
)
"""Whole documents of all blocks, nested."""

marks = st.one_of(
    st.text(st.sampled_from('*_ ab"[]~'), max_size=14), st.sampled_from(["`c`", "[a](/b)", "好。", "a_b", "*"])
)

worst = st.one_of(
    st.lists(marks, max_size=60).map("".join),
    st.text(max_size=600),
    st.text(st.sampled_from("*_`~[]()<>&\\!#-+=|:. ab1\n\t"), max_size=600),
    st.text(st.sampled_from("`"), max_size=200),
    st.text(st.sampled_from("`~ \na"), max_size=300).map(lambda text: f"```python\n{text}"),
    st.lists(st.sampled_from([*EMOJI, *MENTIONS, " ", "\n", "**"]), max_size=120).map("".join),
    st.integers(100, 3000).map(lambda size: "w" * size),
    st.integers(10, 900).map(lambda size: "a" + "\u0301" * size),
    st.integers(100, 3000).map(lambda size: f"See [this *very* long](https://example.org/{'x-' * size}) **now**."),
    st.integers(100, 3000).map(lambda size: f"**See https://example.org/{'x_' * size} `{'c ' * size}` now.**"),
    st.integers(1, 150).map(lambda depth: "> " * depth + "deep " * 60),
    st.integers(1, 60).map(lambda depth: "\n".join(f"{'  ' * level}- item {level}" for level in range(depth))),
)
"""What nobody writes and somebody sends."""
