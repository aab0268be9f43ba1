"""Lines as messages: whatever the bytes and however they arrive, a line is one message or one answer that says why."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.mcp.messages import MAX_MESSAGE, Refused, lines, read_message
from tests.cli.schemas import faults


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes | None]:
    pieces, at = [], 0
    for size in (*sizes, len(data) + 1):
        pieces.append(data[at : at + size])
        at += size
    left = iter([piece for piece in pieces if piece])
    return list(lines(lambda: next(left, b"")))


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line)), st.lists(st.integers(1, 7)))
def test_lines_are_the_same_however_they_arrive(written: list[bytes], sizes: list[int]) -> None:
    assert cut(b"".join(line + b"\n" for line in written), sizes) == written


def test_a_line_that_is_too_long_is_told_once_and_the_next_one_is_read() -> None:
    whole = b"x" * MAX_MESSAGE
    for length, told in ((MAX_MESSAGE, whole), (MAX_MESSAGE + 1, None), (MAX_MESSAGE + 200_000, None)):
        assert cut(b"x" * length + b"\nnext\n", [70_000] * 70) == [told, b"next"]


@given(st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
def test_whatever_the_bytes_there_is_an_answer(line: bytes) -> None:
    found = read_message(line)
    if isinstance(found, Refused):
        assert found.answer["error"]["code"] == -32700
        assert faults(found.answer["error"]["data"]) == []
        json.dumps(found.answer, allow_nan=False)


@pytest.mark.parametrize("identity", [7, "a", None, True, [], 1.5])
def test_an_answer_bears_the_number_only_where_it_is_one(identity: object) -> None:
    line = json.dumps({"id": identity, "method": "ping", "params": [float("nan")]}).encode()
    found = read_message(line)
    assert isinstance(found, Refused)
    assert found.answer["id"] == (identity if identity in (7, "a") and identity is not True else None)


def test_a_call_that_can_not_be_read_fails_as_a_call() -> None:
    found = read_message(b'{"id": 3, "method": "tools/call", "params": {"arguments": {"a": 1, "a": 2}}}')
    assert isinstance(found, Refused)
    told = found.answer["result"]
    assert (told["isError"], told["structuredContent"]["errors"][0]["code"]) == (True, "duplicate_key")
