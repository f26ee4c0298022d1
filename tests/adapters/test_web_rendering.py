"""What people, documents and models wrote is shown, and does nothing."""

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.web.rendering import escaped, link, marked, plain, prose

_HEADINGS = {f"h{level}" for level in range(2, 7)}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_TAGS = {"a", "blockquote", "br", "code", "div", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
_TAGS |= _HEADINGS | _TABLES
_ATTRIBUTES = frozenset({"class", "href", "rel", "start", "tabindex", "target"})

_HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![p](https://elsewhere.example/p.png)",
    "[j](javascript:alert(1))",
    "[j](JaVaScRiPt:alert(1))",
    "[j](java&#115;cript:alert(1))",
    "[d](data:text/html,<script>)",
    "[v](vbscript:x)",
    '[t](https://e.example "onmouseover=x")',
    "```js onload=alert(1)\nx\n```",
    "<https://e.example/'onclick=x>",
    "[![i](https://e.example/i.png)](https://e.example)",
    "|a|b|\n|:-|-:|\n|1|2|",
    "\x1b[31mred\x07",
    "&#60;script&#62;",
    "a\u202eb",
)
_TEXTS = st.lists(st.one_of(st.sampled_from(_HOSTILE), st.text(max_size=30)), max_size=6).map("\n\n".join)


class _Seen(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@given(_TEXTS)
@example("\n\n".join(_HOSTILE))
def test_prose_has_harmless_tags_alone_and_links_to_the_web_alone(text: str) -> None:
    seen = _Seen(prose(text))
    for tag, attributes in seen.tags:
        assert tag in _TAGS
        assert set(attributes) <= _ATTRIBUTES
        if tag == "a":
            assert str(attributes["href"]).lower().startswith(("http://", "https://", "mailto:"))
            assert attributes["rel"] == "noopener noreferrer"
    assert not seen.open
    assert "\x1b" not in seen.text
    assert "\u202e" not in seen.text


def test_prose_keeps_what_an_answer_is_made_of() -> None:
    shown = prose("# Law\n\n**V** = *I* `R` [1]\n\n- one\n\n|a|\n|-|\n|1|")
    for part in (
        "<h2>Law</h2>",
        "<strong>V</strong>",
        "<em>I</em>",
        "<code>R</code>",
        "[1]",
        "<li>one</li>",
        "<td>1</td>",
    ):
        assert part in shown


def test_an_image_is_a_link_to_it_and_within_a_link_only_its_words() -> None:
    assert '<a href="https://e.example/p.png" target="_blank" rel="noopener noreferrer">cat</a>' in prose(
        "![cat](https://e.example/p.png)"
    )
    assert prose("[![cat](https://e.example/p.png)](https://e.example/)").count("<a ") == 1


def test_a_block_of_code_is_reached_by_the_keyboard_and_its_language_is_no_class() -> None:
    assert '<pre tabindex="0"><code>x' in prose("```evil\nx\n```")


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-5, 80), st.integers(-5, 80)), max_size=5))
def test_marking_words_leaves_the_text_as_it_was(text: str, spans: list[tuple[int, int]]) -> None:
    seen = _Seen(marked(text, spans))
    assert {tag for tag, _ in seen.tags} <= {"div", "mark"}
    assert seen.text == _Seen(f"<p>{escaped(text)}</p>").text or "\r" in text


def test_marked_words_are_counted_in_characters_not_in_bytes() -> None:
    assert marked("Ömlaut 😀 law", [(9, 12)]) == '<div class="passage">Ömlaut 😀 <mark>law</mark></div>'


def test_overlapping_matches_are_marked_once() -> None:
    assert marked("abcdef", [(0, 3), (2, 5)]) == '<div class="passage"><mark>abc</mark><mark>de</mark>f</div>'


def test_a_label_shows_markdown_directives_and_shortcodes_as_they_are() -> None:
    shown = plain("**b** [x](y) :red[z] :smile: $a$ <i> `c`\n# d")
    assert shown.replace("\\", "").replace("\u2060", "") == "**b** [x](y) :red[z] :smile: $a$ <i> `c` # d"
    for sign in "*[](:$<`#":
        assert all(shown[place - 1] == "\\" for place, one in enumerate(shown) if one == sign)
    assert ":smile:" not in shown.replace("\\", "")


def test_a_long_label_is_cut() -> None:
    assert plain("x" * 500, limit=10) == "x" * 10 + "…"


def test_a_link_that_may_not_be_followed_is_words_alone() -> None:
    assert link("javascript:alert(1)", "<b>") == "&lt;b&gt;"
    assert link("https:alert(1)", "x") == "x"
    assert link("http://[::1", "x") == "x"
    assert 'href="https://e.example/?a=&quot;"' in link('https://e.example/?a="', "x")
