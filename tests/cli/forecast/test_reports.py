"""`aos simulate --markdown` and `--html`: what they print and write, and all that they leave as it is."""

from pathlib import Path

from tests.cli.process import DEMO, STEP, aos, inline

SLOW = inline(STEP, deadline_ms=1)


def test_markdown_stands_in_the_place_of_the_text() -> None:
    done = aos("simulate", str(DEMO), "--markdown")

    assert (done.status, done.err) == (0, b"")
    assert done.text.startswith("## ✓ FEASIBLE: 0c, typically 810 ms\n")


def test_the_page_comes_beside_the_text_and_replaces_what_was_there(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")
    plain, written = aos("simulate", str(DEMO)), aos("simulate", str(DEMO), "--html", str(page))

    assert written == plain
    assert page.read_text("utf-8").startswith('<!doctype html>\n<html lang="en">')
    assert [*tmp_path.iterdir()] == [page]


def test_verdict_and_json_stay_what_they_are(tmp_path: Path) -> None:
    shown = ("--markdown", "--html", str(tmp_path / "page.html"))
    plain = aos("simulate", "--plan", SLOW, "--json")

    assert plain.status == 3
    assert aos("simulate", "--plan", SLOW, *shown).status == 3
    assert aos("simulate", "--plan", SLOW, "--json", *shown) == plain


def test_a_page_that_cannot_be_written_is_a_failed_write(tmp_path: Path) -> None:
    done = aos("simulate", str(DEMO), "--html", str(tmp_path / "nowhere/page.html"))

    assert (done.status, done.out) == (12, b"")
    assert b"write_failed" in done.err


def test_one_forecast_at_a_time() -> None:
    for other in (["--many"], [str(DEMO), "--apply", "1"]):
        assert aos("simulate", *other, "--markdown").status == 2


def test_the_same_forecast_gives_the_same_bytes(tmp_path: Path) -> None:
    pages = [tmp_path / name for name in ("a.html", "b.html")]
    for page in pages:
        aos("simulate", str(DEMO), "--budget", "100", "--html", str(page))

    assert pages[0].read_bytes() == pages[1].read_bytes()
