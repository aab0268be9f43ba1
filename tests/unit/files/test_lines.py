import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import AosError
from aos.files.lines import Line, arriving
from aos.wire.strict import MAX_BYTES


def read(data: bytes, together: int = 16) -> list[list[Line]]:
    """What `arriving` tells of data that fits into a pipe."""
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    try:
        return list(arriving(ours, together=together))
    finally:
        os.close(ours)


@given(
    st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)), st.integers(1, 5), st.booleans()
)
def test_every_line_that_is_not_blank_comes_with_its_number(
    lines: list[bytes], together: int, ended: bool
) -> None:
    groups = read(b"\n".join(lines) + b"\n" * ended, together)
    told = [line for group in groups for line in group]
    assert told == [(i, line) for i, line in enumerate(lines, 1) if line.strip()]
    assert all(0 < len(group) <= together for group in groups)


def test_lines_are_told_before_the_end() -> None:
    ours, theirs = os.pipe()
    found: Iterator[list[Line]] = arriving(ours, together=16)
    os.write(theirs, b"one\ntwo\nthr")
    assert next(found) == [(1, b"one"), (2, b"two")]
    os.write(theirs, b"ee\n")
    assert next(found) == [(3, b"three")]
    os.write(theirs, b"last")
    os.close(theirs)
    assert list(found) == [[(4, b"last")]]
    os.close(ours)


def test_a_line_that_is_too_long_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x" * (3 * MAX_BYTES) + b"\nshort\n")
    with path.open("rb") as file:
        (long,), (short,) = arriving(file.fileno(), together=1)
    assert (long[0], len(long[1])) == (1, MAX_BYTES + 1)
    assert short == (2, b"short")


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "line"
    path.write_bytes(b"x" * (30 * MAX_BYTES))
    tracemalloc.start()
    with path.open("rb") as file:
        assert len(list(arriving(file.fileno(), together=1))) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MAX_BYTES


def test_what_can_not_be_read_is_told() -> None:
    ours, theirs = os.pipe()
    os.close(theirs)
    os.close(ours)
    with pytest.raises(AosError) as caught:
        list(arriving(ours, together=1))
    assert caught.value.code == "unreadable"
