"""What is said after a mistake of the product itself."""

from __future__ import annotations

import platform
import traceback

from meshproof import __version__


def bug_report(error: Exception, *, is_verbose: bool) -> str:
    """A few lines for people, with the traceback if they asked for much."""
    lines = traceback.extract_tb(error.__traceback__)
    place = f"{lines[-1].name} ({lines[-1].filename.rpartition('meshproof/')[2]}:{lines[-1].lineno})" if lines else ""
    text = (
        f"internal error: {type(error).__name__}: {error}\n"
        f"  in {place}\n"
        f"  meshproof {__version__}, Python {platform.python_version()}\n"
        "  This is a mistake in Meshproof, not in your policy. Nothing it printed in this run should be relied on.\n"
    )
    if is_verbose:
        return text + "".join(traceback.format_exception(error))
    return text + "  Run it again with -v for the traceback, and report both.\n"
