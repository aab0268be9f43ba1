"""Draws pages in headless Chromium, to be looked at: `python -m tests.look [FOLDER]`.

For three plans, a backtest and a request in the inbox: the page and its pictures in light and dark, as wide as a
telephone and as a desk's screen. Fails where a page is wider than its window.
"""

import re
import subprocess
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.cli.process import ROOT, aos
from tests.server.inbox_page import page as page_of_inbox

EXAMPLES = (
    "btc-to-slack/plan.json --budget 100",
    "research-fan-out/plan.yaml",
    "hundred-steps/plan.json",
)
SCORED = ("--auto", "--by", "region", "--min-coverage", "0.9", "--max-crps-ratio", "0.75")
WIDTHS = (360, 1200)
SCHEMES = {"dark": 0, "light": 1}
"""Blink's numbers for `prefers-color-scheme`."""
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
_MEASURE = """<!doctype html><title>?</title><style>body {{ margin: 0 }} iframe {{ border: 0; display: block }}</style>
<iframe width="{width}" height="{height}" srcdoc="{page}" onload="
  const root = this.contentDocument.documentElement;
  document.title = root.scrollWidth + 'x' + root.scrollHeight;
"></iframe>"""
"""A frame as wide as the window is to be: Chromium's own has a least width that is more than a telephone's."""


class Size(NamedTuple):
    """Of a page, in pixels."""

    width: int
    height: int


def chromium(*words: str) -> str:
    """What a fresh Chromium prints."""
    with TemporaryDirectory(prefix="chromium-") as profile:
        command = ["chromium", *_FLAGS, f"--user-data-dir={profile}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def framed(page: str, size: Size, file: Path) -> str:
    """The address of a page that shows `page` in a frame."""
    text = _MEASURE.format(page=escape(page), width=size.width, height=size.height)
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


def measured(page: str, width: int, file: Path) -> Size:
    """How much room the page takes in a window so wide."""
    shown = chromium("--dump-dom", framed(page, Size(width, 600), file))
    found = re.search(r"<title>(\d+)x(\d+)</title>", shown)
    assert found, "Chromium did not load the page"
    return Size(int(found[1]), int(found[2]))


def draw(page: str, name: str, folder: Path) -> list[str]:
    """Write a page's pictures; what is wrong with it."""
    faults = []
    file = folder / f"{name}.frame.html"
    for width in WIDTHS:
        size = measured(page, width, file)
        if size.width > width:
            faults.append(f"{name}: {size.width} px wide in a window of {width} px")
        for scheme, number in SCHEMES.items():
            picture = folder / f"{name}-{width}-{scheme}.png"
            chromium(
                f"--screenshot={picture}",
                f"--window-size={width},{size.height}",
                f"--blink-settings=preferredColorScheme={number}",
                framed(page, Size(width, size.height), file),
            )
            print(f"{picture}  {width} x {size.height}")
    file.unlink()
    return faults


def main(folder: Path) -> int:
    """The exit status: 1 where a page overflows."""
    folder.mkdir(parents=True, exist_ok=True)
    faults = []
    for words in EXAMPLES:
        plan, *options = words.split()
        page = folder.resolve() / f"{Path(plan).parent}.html"
        aos("simulate", str(ROOT / "examples/plans" / plan), *options, "--html", str(page))
        faults += draw(page.read_text(encoding="utf-8"), page.stem, folder.resolve())
    faults += draw(page_of_inbox("the weekly report " + "W" * 300), "inbox", folder.resolve())
    page = folder.resolve() / "backtest.html"
    aos("backtest", str(ROOT / "examples/records/runs.csv"), *SCORED, "--html", str(page))
    faults += draw(page.read_text(encoding="utf-8"), page.stem, folder.resolve())
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:] or [".look"])))
