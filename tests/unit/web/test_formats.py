"""Moments with their zone, days, numbers and the time that is left, as the reader writes them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.web.formats import Formats, TimeLeft

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ENGLISH = Formats(language="en", zone="Africa/Nairobi", now=NOW)
ARABIC = Formats(language="ar", zone="America/New_York", now=NOW)


def test_a_moment_is_the_readers_and_names_its_zone() -> None:
    shown = str(ENGLISH.moment(NOW))
    assert 'datetime="2027-03-01T12:00:00' in shown
    assert "1 Mar 2027, 15:00" in shown
    assert '<span class="zone">' in shown
    assert "07:00" in str(ENGLISH.moment(NOW, "America/New_York"))
    assert str(ENGLISH.moment(None)) == ""


def test_one_moment_is_another_day_elsewhere() -> None:
    late = datetime(2027, 3, 1, 22, 30, tzinfo=UTC)
    assert "2 Mar 2027, 01:30" in str(ENGLISH.moment(late))
    assert ENGLISH.clock(late, "UTC") == "22:30"


def test_a_day_has_no_zone() -> None:
    shown = str(ENGLISH.date(date(2027, 12, 31)))
    assert 'datetime="2027-12-31"' in shown
    assert "31" in shown
    assert str(ENGLISH.date(None)) == ""


def test_countries_are_called_by_our_own_table_and_in_other_languages_by_theirs() -> None:
    assert ENGLISH.country("KEN") == "Kenya"
    assert ARABIC.country("KEN") == "كينيا"
    assert ENGLISH.country("ZZZ") == "ZZZ"
    assert ENGLISH.country(None) == ""


def test_numbers_and_languages_are_written_as_the_reader_does() -> None:
    assert ENGLISH.number(1_234_567) == "1,234,567"
    assert ENGLISH.language_name("ar") == "Arabic"
    assert ARABIC.language_name("en") == "الإنجليزية"
    assert ENGLISH.language_name("xx") == "xx"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(seconds=-1), TimeLeft("Late", "it was due", "soon")),
        (timedelta(0), TimeLeft("0", "minutes left", "soon")),
        (timedelta(minutes=1), TimeLeft("1", "minute left", "soon")),
        (timedelta(minutes=59, seconds=59), TimeLeft("59", "minutes left", "soon")),
        (timedelta(hours=1), TimeLeft("1", "hour left", "soon")),
        (timedelta(hours=23, minutes=59), TimeLeft("23", "hours left", "soon")),
        (timedelta(days=1), TimeLeft("1", "day left", "soon")),
        (timedelta(days=1, seconds=1), TimeLeft("1", "day left", "near")),
        (timedelta(days=4), TimeLeft("4", "days left", "near")),
        (timedelta(days=4, seconds=1), TimeLeft("4", "days left", "plain")),
    ],
    ids=str,
)
def test_the_time_that_is_left_is_said_in_the_unit_that_counts(left: timedelta, said: TimeLeft) -> None:
    assert ENGLISH.time_left(NOW + left) == said


def test_what_is_not_due_has_no_time_left() -> None:
    assert ENGLISH.time_left(None) is None
