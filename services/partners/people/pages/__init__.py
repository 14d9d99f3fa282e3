"""Screens of people: who signs in, who they are here, and the directory."""

import re
from pathlib import Path

from shared.web.pages import Pages

TEMPLATES = Path(__file__).parents[1] / "templates"
FRONT = "/"
PATH_LENGTH_MAX = 1_500

# A second slash or a backslash would begin the name of another host; a browser reads past control characters.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def new_pages() -> Pages:
    return Pages("people", templates=TEMPLATES)


def own_path(wanted: str) -> str:
    """Where somebody wants to go on, if it is a path of ours; else My work."""
    return wanted if len(wanted) <= PATH_LENGTH_MAX and _OWN_PATH.fullmatch(wanted) else FRONT
