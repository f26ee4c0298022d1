"""The page into which Streamlit draws: its own, under our title and without what points to what is not served."""

import base64
import hashlib
import html
import re
from pathlib import Path

_NO_SCRIPT = "<noscript><p>This page needs JavaScript. The HTTP API does without: see its /docs.</p></noscript>"

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def shell(title: str) -> str:
    """Give the page.

    Args:
        title: what the pages are called.
    """
    import streamlit

    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<link rel="service-desc"[^>]*>', "", text)
    text = re.sub(r"<noscript>.*?</noscript>", _NO_SCRIPT, text, flags=re.DOTALL)
    # Given by a function, the title is taken as it is, backslashes included.
    return re.sub(r"<title>.*?</title>", lambda _: f"<title>{html.escape(title)}</title>", text).strip()


def policy(page: str) -> str:
    """Give the content security policy of the page: nothing from elsewhere, no script but its own.

    Streamlit's styles are written into the page as it is drawn, hence ``unsafe-inline`` for them; its charts are drawn
    by Vega's interpreter, which needs no ``unsafe-eval``.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
        " img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:;"
        " frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
