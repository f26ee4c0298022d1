"""Long answers are cut into parts that a platform takes, and whoever reads the parts has read the answer."""

import html
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from wcwidth import iter_graphemes

from adapters.splitting import split
from tests.adapters.markdown_documents import EMOJI, MENTIONS, documents, worst

PHYSICS = Path(__file__).parents[2] / "knowledge" / "starter" / "physics.json"
SHARED = Path(__file__).parents[3] / "shared"
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# Lists and quotes in one another are to be told as deep as anybody writes them.
BLOCKS = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table")


def parsed(text: str) -> list[Token]:
    env: dict[str, Any] = {}
    tokens: list[Token] = []
    BLOCKS.block.parse(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"), BLOCKS, env, tokens)
    for token in tokens:
        token.children = PARSER.inline.parse(token.content, PARSER, env, []) if token.type == "inline" else None
    return tokens


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def as_html(text: str) -> int:
    return len(html.escape(text))


counters: st.SearchStrategy[Callable[[str], int]] = st.sampled_from([len, utf16, as_html])
limits = st.one_of(st.integers(40, 4000), st.integers(40, 200))


def read(text: str) -> str:
    """Give what a reader reads, without white space: the oracle, by markdown-it and nothing of the splitter's."""
    return "".join("".join(words) for words in _blocks(parsed(text)))


def expected(text: str) -> str:
    """Give what the parts have to say; of lists and quotes deeper than a parser goes, their signs as well."""
    is_too_deep = any(token.level >= 99 for token in parsed(text))
    return _bare(text.replace("\0", "\ufffd")) if is_too_deep else read(text)


def read_parts(parts: Iterable[str]) -> str:
    """The same for parts, a table's header being read once."""
    seen: set[str] = set()
    words: list[str] = []
    for part in parts:
        for kind, text in _kinds(parsed(part)):
            if kind == "header" and text in seen:
                continue
            words.append(text)
            seen.update([text] if kind == "header" else [])
    return "".join(words)


def _blocks(tokens: list[Token]) -> Iterator[str]:
    return (text for _, text in _kinds(tokens))


def _kinds(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    cells: list[str] = []
    for position, token in enumerate(tokens):
        if token.type in ("th_open", "td_open"):
            cells.append(_bare(_inline(tokens[position + 1].children or [])))
        elif token.type == "inline" and tokens[position - 1].type not in ("th_open", "td_open"):
            yield "text", _bare(_inline(token.children or []))
        elif token.type in ("fence", "code_block", "html_block"):
            yield "text", _bare(token.content)
        elif token.type == "hr":
            yield "text", "―"
        elif token.type == "tr_close":
            yield "header" if tokens[position + 1].type == "thead_close" else "text", "|".join(cells)
            cells = []


def _inline(tokens: list[Token]) -> str:
    ends: list[str] = []
    words: list[str] = []
    for token in tokens:
        title = f'"{token.attrs["title"]}"' if "title" in token.attrs else ""
        if token.type == "link_open":
            ends.append("" if token.markup == "autolink" else f"]({token.attrs['href']}{title})")
            words.append("[" if ends[-1] else "")
        elif token.type == "link_close":
            words.append(ends.pop())
        elif token.type == "image":
            words.append(f"![{_inline(token.children or [])}]({token.attrs['src']}{title})")
        else:
            words.append(token.content)
    return "".join(words)


def _bare(text: str) -> str:
    return "".join(text.split())


def assert_is_whole(parts: list[str], text: str, limit: int, length: Callable[[str], int] = len) -> None:
    assert all(length(part) <= limit for part in parts)
    assert all(part.strip() for part in parts)
    assert read_parts(parts) == (read(text) if parts == [text] else expected(text))
    for part in parts if len(parts) > 1 else []:
        *_, last, _ = parsed(f"{part}\n\nThe end.")
        assert (last.type, last.content, last.level) == ("inline", "The end.", 1), "a part leaves something open"


@given(documents, limits, counters)
@settings(deadline=None)
def test_the_parts_of_any_document_hold_all_of_it_and_keep_the_limit(
    text: str, limit: int, length: Callable[[str], int]
) -> None:
    assert_is_whole(split(text, limit, length), text, limit, length)


@given(worst, limits, counters)
@example("[ [[[[*a***word[[[[[[[[[[[[[[[[[[[[[*[[[**", 40, len)
@example("[[*[ [*[[a](/b)[a](/b)[a](/b)[a](/b)[**[[*", 40, len)
@settings(deadline=None)
def test_the_parts_of_whatever_is_sent_hold_all_of_it_and_keep_the_limit(
    text: str, limit: int, length: Callable[[str], int]
) -> None:
    assert_is_whole(split(text, limit, length), text, limit, length)


@given(
    st.lists(st.text(st.sampled_from("abcdefgABCäß.,?!"), min_size=1, max_size=20), min_size=1, max_size=400), limits
)
@settings(deadline=None)
def test_words_are_not_cut_and_parts_are_not_wasted(words: list[str], limit: int) -> None:
    parts = split(" ".join(words), limit)
    assert " ".join(parts).split() == words
    assert len(parts) <= 1 + 2 * len(" ".join(words)) / (limit - 20)


@given(st.lists(st.sampled_from([*EMOJI, "x", "Yes. "]), min_size=1, max_size=400).map("".join), st.integers(40, 200))
@settings(deadline=None)
def test_graphemes_are_not_cut(text: str, limit: int) -> None:
    parts = split(text, limit)
    graphemes = [grapheme for part in parts for grapheme in iter_graphemes(part) if not grapheme.isspace()]
    assert graphemes == [grapheme for grapheme in iter_graphemes(text) if not grapheme.isspace()]


@given(st.lists(st.sampled_from([*MENTIONS, "See", "**so", "on**.", "[a b](https://c.example)"]), max_size=200), limits)
@settings(deadline=None)
def test_mentions_links_and_emoji_by_name_are_not_cut(words: list[str], limit: int) -> None:
    # A word before them: what begins with "<!" is HTML to CommonMark, and its links are text.
    parts = split(" ".join(("Yes", *words)), limit)
    for whole in (
        "<@!1>",
        "<a:name_x:1>",
        ":short_code:",
        "<!subteam^S1>",
        "<https://x.example/a|label>",
        "[a b](https://c.example)",
    ):
        assert sum(part.replace("\\", "").count(whole) for part in parts) == words.count(whole)


@given(
    st.lists(st.sampled_from(["<@!1>", "<a:name_x:1>", ":short_code:", "好", "word"]), max_size=90), st.integers(40, 99)
)
@settings(deadline=None)
def test_mentions_and_emoji_inside_a_long_word_are_not_cut(bits: list[str], limit: int) -> None:
    parts = split("".join(bits), limit)
    for whole in ("<@!1>", "<a:name_x:1>"):
        assert sum(part.replace("\\", "").count(whole) for part in parts) == bits.count(whole)


# Where several begin at once, none is the outer one.
SPANS = ("em", "strong", "s")


def formats(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Give every character that is read with the formatting it has."""
    found: list[tuple[str, str]] = []
    for text in texts:
        opened: list[str] = []
        for token in (token for block in parsed(text) for token in (block, *(block.children or ()))):
            if token.nesting > 0 and not token.hidden and token.tag != "p":
                opened.append(token.tag)
            elif token.nesting < 0 and not token.hidden and token.tag != "p":
                opened.pop()
            elif token.type != "inline":
                blocks = [tag for tag in opened if tag not in SPANS]
                spans = sorted(tag for tag in opened if tag in SPANS)
                found.extend((sign, f"{blocks} {spans} {token.tag} {token.info}") for sign in _bare(token.content))
    return found


formatted = st.recursive(
    st.lists(st.sampled_from(["one", "two,", "Three", "`four`", "[five](https://f.example)"]), min_size=1, max_size=6),
    lambda inner: st.tuples(st.sampled_from(["*", "**", "~~"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda m: ["aa", f"{m[0]}{' '.join(word for words in m[1] for word in words if m[0] not in word)} so{m[0]}"]
    ),
    max_leaves=8,
).map(" ".join)
formatted_blocks = st.recursive(
    st.one_of(formatted, formatted.map("# {}".format), st.lists(formatted, min_size=3).map("```c\n{}\n```".format)),
    lambda inner: st.lists(inner, min_size=1, max_size=4).flatmap(
        lambda blocks: st.sampled_from([("> ", "> "), ("- ", "  "), ("3. ", "   ")]).map(
            lambda marks: "\n\n".join(marks[0] + block.replace("\n", f"\n{marks[1]}") for block in blocks)
        )
    ),
    max_leaves=8,
)


@given(st.lists(formatted_blocks, min_size=1, max_size=8).map("\n\n".join), st.integers(100, 2000))
@settings(deadline=None)
def test_every_word_keeps_its_formatting(text: str, limit: int) -> None:
    assert formats(split(text, limit)) == formats([text])


def test_a_text_that_is_short_enough_stays_as_it_is() -> None:
    text = "Setext\n===\n\n* one\n* two [a]\n\n[a]: https://example.org\n"
    assert split(text, 2000) == [text]


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_of_nothing_there_are_no_parts(text: str) -> None:
    assert split(text, 2000) == []


def test_a_limit_without_room_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="has to hold at least 32 characters, not 31"):
        split("text", 31)


def test_a_length_beyond_all_measure_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="a single character is longer than a part may be"):
        split("# 1. text", 40, lambda text: 41)


def test_a_text_is_cut_between_paragraphs_before_sentences_before_words() -> None:
    text = "One two three. Four five six.\n\nSeven eight nine. Ten eleven twelve. Thirteen fourteen fifteen sixteen."
    sentences = ["Seven eight nine. Ten eleven twelve.", "Thirteen fourteen fifteen sixteen."]
    assert split(text, 80) == ["One two three. Four five six.\n\nSeven eight nine. Ten eleven twelve.", sentences[1]]
    assert split(text, 50) == ["One two three. Four five six.", *sentences]
    assert split(sentences[1], 32) == ["Thirteen fourteen fifteen", "sixteen."]


def test_chinese_is_cut_after_sentences() -> None:
    assert split("一二三四五六七八九十。" * 6, 40) == ["一二三四五六七八九十。" * 3] * 2


def test_a_heading_stays_with_what_follows_it() -> None:
    text = f"{'word ' * 15}\n\n## Next\n\n### Part\n\n{'more ' * 15}"
    assert [part.split("\n")[0] for part in split(text, 100)] == ["word " * 14 + "word", "## Next"]


def test_a_cut_code_block_is_closed_and_opened_again_with_its_language() -> None:
    text = "~~~~python title=x\nfirst = 1\n\n    ~~~\n```\nsecond = 2\n~~~~"
    assert split(text, 45) == [
        "```python title=x\nfirst = 1\n\n    ~~~\n```",
        "````python title=x\n```\nsecond = 2\n````",
    ]


def test_a_code_block_without_end_is_given_one() -> None:
    parts = split("Look:\n\n```js\n" + "call();\n" * 20, 60)
    assert all(part.endswith("\n```") and "```js\n" in part for part in parts)


def test_a_cut_table_repeats_its_header() -> None:
    text = "| name | value |\n|:--|--:|\n" + "".join(f"| row {row} | {row} |\n" for row in range(6))
    head = "| name | value |\n| :--- | ---: |"
    assert split(text, 70) == [
        f"{head}\n| row 0 | 0 |\n| row 1 | 1 |",
        f"{head}\n| row 2 | 2 |\n| row 3 | 3 |",
        f"{head}\n| row 4 | 4 |\n| row 5 | 5 |",
    ]


def test_a_row_for_which_there_is_no_room_is_given_as_text_and_the_table_goes_on() -> None:
    text = f"| a | b |\n|---|---|\n| 1 | 2 |\n| {'long ' * 9}| 4 |\n| 5 | 6 |"
    head = "| a | b |\n| --- | --- |"
    assert split(text, 40) == [
        f"{head}\n| 1 | 2 |",
        "long long long long long long long long",
        "long | 4",
        f"{head}\n| 5 | 6 |",
    ]


def test_lists_keep_their_numbers_their_depth_and_their_quote() -> None:
    text = "> 7. first item of all\n>    - inner one and more\n>    - inner two and more\n> 8. last item of all"
    assert split(text, 52) == [
        "> 7. first item of all\n>    - inner one and more",
        "> 7. - inner two and more\n> 8. last item of all",
    ]


def test_emphasis_and_code_that_are_cut_are_closed_and_opened_again() -> None:
    text = "**bold words that *go on and on ~~without~~ any* end at all**"
    assert split(text, 40) == ["**bold words that *go on and on***", "***~~without~~ any* end at all**"]
    parts = ["See `code code code code code`", "`code code code code code`", "there."]
    assert split(f"See `{'code ' * 9}code` there.", 32) == parts


def test_a_link_longer_than_a_part_is_told_as_text() -> None:
    address = "https://example.org/" + "x-" * 1050
    parts = split(f"Look at [the *long* page]({address}) now.", 2000)
    assert "".join(parts).replace("\\", "") == f"Look at [the long page]({address}) now."
    assert [len(part) for part in parts] == [2000, 152]


def test_links_by_reference_carry_their_address_into_every_part() -> None:
    text = f"{'See [this][a] and ![that]. ' * 3}\n\n[a]: https://a.example 'T'\n[that]: https://b.example/(c)"
    parts = split(text, 90)
    assert parts == ['See [this](https://a.example "T") and ![that](<https://b.example/(c)>).'] * 3


@pytest.mark.parametrize(
    "words",
    [
        "# no heading",
        "- no item",
        "12. no item",
        "> no quote",
        "=== ",
        "--|-- | -",
        "[no]: link",
        "+ no item",
        "~~~ no",
        "<p no",
    ],
)
def test_text_that_a_cut_puts_at_the_start_of_a_line_stays_text(words: str) -> None:
    text = f"{'x' * 30} | {words}"
    first, second = split(text, 33)
    assert [token.type for token in parsed(second)] == ["paragraph_open", "inline", "paragraph_close"]
    assert read(f"{first} {second}") == _bare(text)


def test_html_is_text() -> None:
    parts = split(f"<div>\n*no emphasis*\n</div>\n\n{'word ' * 12}and <b>{'more ' * 9}</b>", 60)
    assert parts[0] == "\\<div>\n\\*no emphasis\\*\n\\</div>"
    assert "\\<b>more" in parts[2]


def test_quotes_deeper_than_a_parser_goes_are_told_with_their_signs() -> None:
    assert read_parts(split("> " * 200 + "deep", 100)) == ">" * 200 + "deep"


def long_answers() -> dict[str, str]:
    physics = json.loads(PHYSICS.read_text(encoding="utf-8"))
    sections = (f"## {entry['title']}\n\n{entry['context']}\n\n- {entry['tags']}" for entry in physics)
    answers = {"physics": "\n\n".join(sections)[:30_000]}
    corpus = SHARED / "data" / "xquad" / "corpus.jsonl"
    if corpus.exists():
        lines = corpus.read_text(encoding="utf-8").splitlines()
        answers["xquad"] = "\n\n".join(json.loads(line)["text"] for line in lines)
    return answers


LONG_ANSWERS = long_answers()


@pytest.fixture(params=["physics", "xquad"])
def answer(request: pytest.FixtureRequest) -> str:
    if request.param not in LONG_ANSWERS:
        pytest.skip("the XQuAD passages are not there (shared/data/xquad)")
    return LONG_ANSWERS[request.param]


@pytest.mark.parametrize("limit", [120, 2000, 3000, 12_000])
def test_long_answers_are_told_whole_and_cut_after_sentences(answer: str, limit: int) -> None:
    parts = split(answer, limit)
    assert_is_whole(parts, answer, limit)
    assert " ".join(parts).replace("\\", "").split() == answer.replace("\\", "").split()
    if limit >= 2000:
        ends = tuple(paragraph[-30:] for paragraph in answer.split("\n\n"))
        assert all(part[-1] in '.?!])"”' or part.endswith(ends) for part in parts[:-1])
        assert all(2 * len(part) >= limit for part in parts[:-1])


def test_full_parts_stay_as_they_are_while_an_answer_grows(answer: str) -> None:
    whole = split(answer[:12_000], 2000)
    for size in range(2100, 12_000, 97):
        full = split(answer[:size], 2000)[:-1]
        assert full == whole[: len(full)]


def test_the_work_grows_with_the_text_alone() -> None:
    measured = 0

    def length(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return len(text)

    for text in ("word " * 6_000, "*a* `b` " * 3_000, "x" * 30_000, "- item\n" * 4_000, "> " * 90 + "y " * 15_000):
        measured = 0
        assert len(split(text, 2000, length)) >= len(text) / 2100
        assert measured < 25 * len(text)
