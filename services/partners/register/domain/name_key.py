"""When two legal names are the same name: case, accents, punctuation and spacing do not tell them apart.

- Hyphens, dashes, slashes and underscores part words, as in "Slum-Dwellers"; other punctuation and symbols
  are not there at all: "U.N." is "UN", "Women's" is "Womens".
- What is removed are the accents of Latin, Greek and Cyrillic letters and the optional points of Arabic and
  Hebrew. The vowel signs of Indic scripts, Thai or Japanese voicing marks are no accents: without them other
  words would come out.
- Characters that cannot be seen (joiners, soft hyphens, marks of direction) are removed: with one of them a
  name that is taken would look free.

Letters of different scripts that look alike stay different; finding those is a search, not a key.
"""

import re
import unicodedata

_ACCENTS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # of Latin, Greek, Cyrillic
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # points of Hebrew
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"  # of Arabic
)
_PART_WORDS = "/_\\|\u2044\u2215"


def name_key(legal_name: str) -> str:
    """The name as duplicates are compared; empty where nothing of it can be compared."""
    folded = unicodedata.normalize("NFKC", legal_name).casefold()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    kept = "".join(map(_kept, unicodedata.normalize("NFKC", bare).casefold()))
    return " ".join(kept.split())


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LNM":
        return character
    if category[0] == "Z" or category == "Pd" or character in _PART_WORDS or character.isspace():
        return " "
    return ""
