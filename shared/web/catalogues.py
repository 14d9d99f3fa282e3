"""The catalogues of other languages: `python -m shared.web.catalogues` brings them up to date.

What there is to translate is read from the sources: texts in `_()`, `N_()`, `ngettext()` and `{% trans %}`;
the sentence of every refusal and of every fault of a field, since a page may show any of them. A catalogue
then has exactly these, in the order of the alphabet, each with the translation it had; what is gone is gone.
No place in the sources and no date stands in it, so it changes when a text does and not otherwise.

English is what the code says and has no catalogue.
"""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from shared import errors
from shared.web.language import DOMAIN, LANGUAGES, USUAL, catalogue_file

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared", "services")
WIDTH = 110
_KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
_TEMPLATE_OPTIONS = {"silent": "false", "newstyle_gettext": "true", "trimmed": "false"}
_FAULT = "PydanticCustomError"
_MESSAGES = "_MESSAGES"
# A text, or one and many of a counted one.
Id = str | tuple[str, str]


def texts() -> set[Id]:
    """All that may be shown to a person."""
    found: set[Id] = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found |= set(_extracted("python", path))
            found |= set(_sentences(ast.parse(path.read_text())))
        for path in sorted((ROOT / folder).rglob("templates/**/*.html")):
            found |= set(_extracted("jinja2.ext:babel_extract", path))
    return _one_each(found)


def _one_each(found: set[Id]) -> set[Id]:
    """A text that is also the one of a counted text is the same entry."""
    ones = {id[0] for id in found if isinstance(id, tuple)}
    return {id for id in found if isinstance(id, tuple) or id not in ones}


def _extracted(method: str, path: Path) -> Iterator[Id]:
    options = _TEMPLATE_OPTIONS if path.suffix == ".html" else {"encoding": "utf-8"}
    for _, message, _, _ in extract_from_file(method, path, keywords=_KEYWORDS, options=options):
        if isinstance(message, tuple):
            yield message[0], message[1]
        elif message:
            yield message


def _sentences(tree: ast.Module) -> Iterator[str]:
    """What refusals say, faults of fields, and the framework's faults in our words."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[_, ast.Constant(value=str(sentence)), *_]):
                if name == _FAULT or name in refusal_names():
                    yield sentence
            case ast.Call(func=ast.Name(id="Repository"), keywords=keywords):
                yield from _not_found(keywords)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)) if name == _MESSAGES:
                yield from (one.value for one in values if _is_text(one))  # type: ignore[attr-defined]


def _not_found(keywords: list[ast.keyword]) -> Iterator[str]:
    """As a repository says it of its noun."""
    for keyword in keywords:
        match keyword:
            case ast.keyword(arg="noun", value=ast.Constant(value=str(noun))):
                yield f"There is no such {noun.replace('_', ' ')}"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def refusal_names() -> frozenset[str]:
    """The kinds of refusal, ours and those that modules derive of them."""
    if not _NAMES:
        own = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
        _NAMES.update({name for name in own if issubclass(getattr(errors, name), errors.Refusal)})
        trees = [ast.parse(path.read_text()) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
        classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for _ in range(3):  # As deep as they derive.
            _NAMES.update(
                one.name for one in classes if _NAMES & {getattr(base, "id", "") for base in one.bases}
            )
    return frozenset(_NAMES)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def read(language: str) -> Catalog:
    file = catalogue_file(language)
    if not file.is_file():
        return Catalog(locale=language, domain=DOMAIN)
    with file.open("rb") as source:
        return read_po(source, locale=language, domain=DOMAIN, abort_invalid=True)


def brought_up_to_date(language: str, wanted: set[Id]) -> Catalog:
    kept, fresh = read(language), Catalog(locale=language, domain=DOMAIN)
    for id in sorted(wanted, key=lambda id: id if isinstance(id, str) else id[0]):
        plain = id if isinstance(id, str) else id[0]
        known = kept.get(plain)
        fits = known is not None and isinstance(known.id, str) == isinstance(id, str)
        fresh.add(id, string=known.string if known is not None and fits else None)
    return fresh


def written(catalogue: Catalog) -> str:
    """The file's content. Its header says how to read it; who wrote what and when, the history says."""
    content = io.BytesIO()
    write_po(content, catalogue, width=WIDTH, no_location=True, omit_header=True)
    header = (
        f"Language: {catalogue.locale}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {catalogue.plural_forms}",
    )
    lines = ['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in header)]
    return "\n".join(lines) + "\n\n" + content.getvalue().decode().strip() + "\n"


def missing(catalogue: Catalog) -> list[str]:
    """What has no translation, or not in all its forms."""
    found = []
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        counted = catalogue.num_plurals if isinstance(message.id, tuple | list) else 1
        if message.id and (len(forms) < counted or not all(forms)):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def main() -> int:
    wanted, is_whole = texts(), True
    for language in LANGUAGES:
        if language == USUAL:
            continue
        catalogue = brought_up_to_date(language, wanted)
        file = catalogue_file(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written(catalogue))
        lacking = missing(catalogue)
        is_whole = is_whole and not lacking
        sys.stdout.write(f"{language}: {len(wanted)} texts, {len(lacking)} without a translation\n")
        sys.stdout.writelines(f"  {text!r}\n" for text in lacking)
    return 0 if is_whole else 1


_NAMES: set[str] = set()

if __name__ == "__main__":
    sys.exit(main())
