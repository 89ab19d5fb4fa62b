"""A hook of mkdocs: docstrings name things as ``:class:`x```, which Markdown shows as it stands; show the name."""

from __future__ import annotations

import re
from typing import Any

ROLE = re.compile(r":(?:class|meth|func|mod|attr):<code>~?([\w.]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Called by mkdocs with each page's HTML."""
    return ROLE.sub(lambda found: f"<code>{found[1].removeprefix('visanda.')}</code>", html)
