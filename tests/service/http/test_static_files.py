"""What pages bring along: files of our own and of others, each at the address of its content."""

import hashlib
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from shared.errors import Permanent
from shared.settings import Settings
from shared.web.static_files import OF_OTHERS, OWN, StaticFiles, static_files
from tests.service.http.small_service import SmallService, problem

pytestmark = pytest.mark.asyncio

WEB = Settings(demo=True).web_folder
# Named by hand, so that no installation can change them unseen: the file, and its version where it says one.
PINNED = {
    "htmx.min.js": ("71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de", 'version:"2.0.10"'),
    "sse.js": ("98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136", 'defineExtension("sse"'),
    "swagger-ui-bundle.js": ("4b5a9b35a1adf37f00d39c0bae23cdb37007e2946240ef035137cc85b4d55349", "5.32.6"),
    "swagger-ui.css": ("ca238f7d7c2cf4480c1e77a9c3b9da915ab216e96ffd354e69076560c650c6de", ".swagger-ui{"),
}


async def fetched(service: SmallService, address: str, **headers: str) -> httpx2.Response:
    """Asked as a browser asks: without anybody's token."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await service.client.get(f"http://concord{address}", headers=given)


@pytest.mark.parametrize("name", sorted(OF_OTHERS))
async def test_files_of_others_are_those_that_were_looked_at(service: SmallService, name: str) -> None:
    answer = await fetched(service, static_files(WEB).address(name))
    sha256, says = PINNED[name]
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert says in answer.text


async def test_a_file_may_be_kept_for_ever_and_says_what_it_is(service: SmallService) -> None:
    answer = await fetched(service, static_files(WEB).address("sse.js"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept-Encoding"
    style = await fetched(service, static_files(WEB).address("swagger-ui.css"))
    assert style.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, deflate, br", "gzip"), ("*", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)],
)
async def test_it_is_compressed_for_those_who_can_read_that(
    service: SmallService, accepts: str, coding: str | None
) -> None:
    answer = await fetched(service, static_files(WEB).address("htmx.min.js"), Accept_Encoding=accepts)
    assert answer.headers.get("content-encoding") == coding
    assert answer.text.startswith("var htmx=")


@pytest.mark.parametrize(
    "address",
    [
        "/static",
        "/static/htmx.min.js",
        "/static/000000000000/htmx.min.js",
        "/static/000000000000/another.js",
        "/static/000000000000/..%2Fstatic_files.py",
        "/static/000000000000/django_htmx/htmx-4.js",
    ],
)
async def test_nothing_else_is_found_there(service: SmallService, address: str) -> None:
    answer = await fetched(service, address)
    problem(answer, 404, answer.json()["code"])


async def test_what_a_page_brings_along_fills_no_log(service: SmallService) -> None:
    with capture_logs() as lines:
        await fetched(service, static_files(WEB).address("sse.js"))
        await fetched(service, "/static/000000000000/sse.js")
    assert [line["status"] for line in lines if line["event"] == "request"] == [404]


async def test_only_what_browsers_read_is_served_of_our_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mark.svg").write_text("<svg/>")
    (own / "README.md").write_text("for people who read the sources")
    files = StaticFiles(own, WEB)
    assert files.address("mark.svg").endswith("/mark.svg")
    with pytest.raises(KeyError):
        files.address("README.md")


async def test_without_the_front_end_files_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"htmx\.min\.js.*make run.*requirements/web\.txt"):
        StaticFiles(OWN, tmp_path)
