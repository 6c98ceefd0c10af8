"""The words that Streamlit itself puts on a page, for which it has no translations."""

from medcxr.core.language import ENGLISH, language, say, text

__all__ = ["told_words"]

_WORDS = (
    text("Add files"),
    text("App pages"),
    text("Choose an option"),
    text("Choose options"),
    text("Clear all"),
    text("Clear value"),
    text("Close"),
    text("Close fullscreen"),
    text("Collapse sidebar"),
    text("Connecting"),
    text("Connecting to Streamlit server"),
    text("Connection error"),
    text("Decrement"),
    text("Drag and drop a file here"),
    text("Drag and drop files here"),
    text("Expand sidebar"),
    text("Fullscreen"),
    text("Hide password"),
    text("Increment"),
    text("Link to heading"),
    text("No results"),
    text("Open"),
    text("Please wait..."),
    text("Press Enter to apply"),
    text("Press Enter to submit form"),
    text("Running..."),
    text("Selectbox options"),
    text("Show password"),
    text("Sidebar"),
    text("Skip to main content"),
    text("Stop"),
    text("Stopping..."),
    text("Upload"),
    text("file upload"),
)
# What stands in braces is taken over.
_WITH_A_NAME = (
    text("Copy Vega-Lite spec: {name}"),
    text("Download as PNG: {name}"),
    text("Fullscreen: {name}"),
    text("Help for {name}"),
    text("Remove {name}"),
    text("Show data: {name}"),
    text("{name}MB per file"),
)


def told_words() -> dict[str, str]:
    """Return Streamlit's words -> what is said instead; empty in English.

    A word may hold `{name}`, on both sides, for whatever stands in its place.
    """
    if language() == ENGLISH:
        return {}
    return {words: say(words) for words in (*_WORDS, *_WITH_A_NAME)}
