"""The files that a page brings along: our style and script, and four files of others that were installed
beside the environment (requirements/web.txt).

Each is served at `/static/<digest>/<name>`, where the digest is of its bytes. So an address names one
content for ever: browsers keep it for a year and ask nothing, and a new release has new addresses. A file is
read when its address is first asked for and stays in memory; it is compressed once, when it is first sent, as
far as it goes. The files of others are named here one by one: nothing else of their packages can be had.

Any service of the house answers any of these addresses. During a release two of them may know different
digests, and the wrong one says 404: a page that asks again gets the address that is right by then.
"""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.errors import NotFound, Permanent
from shared.http.visit import visit_of

PREFIX = "static"
DIGEST_CHARACTERS = 12
GZIP_LEVEL = 9
FOR_EVER = "public, max-age=31536000, immutable"
OWN = Path(__file__).with_name("static")
OF_OTHERS = {
    "htmx.min.js": "django_htmx/static/django_htmx/htmx-2.min.js",
    "sse.js": "django_htmx/static/django_htmx/ext/hx-sse-2.min.js",
    "swagger-ui-bundle.js": "fastapi_offline/static/swagger-ui-bundle.js",
    "swagger-ui.css": "fastapi_offline/static/swagger-ui.css",
}
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_PRESSED_ALREADY = frozenset({".png", ".ico", ".woff2"})


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:DIGEST_CHARACTERS]

    @property
    def address(self) -> str:
        return f"/{PREFIX}/{self.digest}/{self.name}"

    @property
    def ending(self) -> str:
        return Path(self.name).suffix

    @cached_property
    def pressed(self) -> bytes:
        return gzip.compress(self.content, GZIP_LEVEL, mtime=0)


class StaticFiles:
    """`own`: the folder of our files. `web_dir`: where requirements/web.txt was installed."""

    def __init__(self, own: Path, web_dir: Path) -> None:
        self._paths = {path.name: path for path in own.iterdir() if path.suffix in _MEDIA_TYPES}
        self._paths |= {name: web_dir / path for name, path in OF_OTHERS.items()}
        self._files: dict[str, _File] = {}
        missing = [name for name, path in self._paths.items() if not path.is_file()]
        if missing:
            raise Permanent(
                f"The front-end files {', '.join(missing)} are not in {web_dir}. `make run` puts them there; "
                "by hand: pip install --no-deps --require-hashes --target FOLDER -r requirements/web.txt, "
                "and set CONCORD_WEB_DIR to that folder."
            )

    def address(self, name: str) -> str:
        """Where the file is found. A name that is not there is a mistake in the page."""
        return self._file(name).address

    def routes(self) -> list[Route]:
        # One route for all that may be asked under the prefix, so that its refusals are all ours.
        return [Route(f"/{PREFIX}/{{digest}}/{{name}}", self._answer, include_in_schema=False)]

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = self._file(name) if name in self._paths else None
        if file is None or file.digest != request.path_params["digest"]:
            raise NotFound("nothing_here", "There is nothing at this address")
        visit = visit_of(request)
        visit.route, visit.private, visit.quiet = f"/{PREFIX}", False, True
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        content = file.content
        if file.ending not in _PRESSED_ALREADY and _takes_gzip(request.headers):
            content = await asyncio.to_thread(lambda: file.pressed)
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers={"Content-Type": _MEDIA_TYPES[file.ending], **headers})

    def _file(self, name: str) -> _File:
        if name not in self._files:
            self._files[name] = _File(name, self._paths[name].read_bytes())
        return self._files[name]


@cache
def static_files(web_dir: Path) -> StaticFiles:
    """The house's files: one for all services of a process."""
    return StaticFiles(OWN, web_dir)


def _takes_gzip(headers: Headers) -> bool:
    """Whether the caller can read it compressed; `gzip;q=0` says that it cannot."""
    for offer in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        coding, _, weight = offer.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.strip().removeprefix("q=") not in ("0", "0.0", "0.00", "0.000")
    return False
