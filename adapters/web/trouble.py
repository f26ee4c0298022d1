"""Tells the visitor what went wrong: in words, with what to do about it, and trying again where that may help."""

import contextlib
import html
import time
from collections.abc import Iterator

import streamlit as st

from adapters.web import session
from adapters.web.api import ApiError
from adapters.web.rendering import plain

_AGAIN_SECONDS = 3

_FORBIDDEN = 403


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell of an `ApiError` in the body, in the place where the body ended."""
    try:
        yield
    except ApiError as error:
        tell(error)


def tell(error: ApiError) -> None:
    """Tell of an error: where nobody answers, until somebody does; where it takes a key, with the way to sign in."""
    if error.is_away:
        _tell_unreachable(time.monotonic())
    elif error.is_signed_out:
        tell_signed_out(error)
    else:
        st.error(in_words(error), icon=":material/error:")


def in_words(error: ApiError) -> str:
    """Give the sentence and the fix, ready for a widget that reads Markdown."""
    wait = f"Try again in {error.seconds:.0f} seconds." if error.seconds and not error.fix else ""
    return plain(" ".join(part for part in (error.sentence, error.fix, wait) if part), limit=2_000)


def tell_signed_out(error: ApiError) -> None:
    """Say that it takes a key, and show the way to sign in."""
    st.title(plain(session.config().title), anchor=False)
    st.info(in_words(error), icon=":material/lock:")
    sign_in()


def tell_not_an_admin() -> None:
    """Say what it takes to see an admin's page."""
    st.title("For admins", anchor=False)
    st.info("This page takes an admin’s key, one of those that the settings list as `http.admin_keys`.")
    sign_in("Sign in with another key")


def sign_in(words: str = "Sign in") -> None:
    """Show the way to the page on which one signs in."""
    st.html(f'<p><a class="sign-in" href="/sign-in">{html.escape(words)}</a></p>')


@st.fragment(run_every=_AGAIN_SECONDS)
def _tell_unreachable(since: float) -> None:
    st.warning(
        "Preceptor does not answer just now. It may be starting. This page tries again every few seconds.",
        icon=":material/cloud_off:",
    )
    if time.monotonic() - since < _AGAIN_SECONDS / 2:
        return
    with contextlib.suppress(ApiError):
        session.api().get("/healthz")
        st.rerun(scope="app")
