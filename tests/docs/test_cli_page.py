"""What is made from the commands is up to date: the page about them, and what `aos capabilities` says of them."""

from tests.tools.build_cli_docs import PAGE, TABLE, page, table

BUILD = "run `python -m tests.tools.build_cli_docs`"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), BUILD


def test_the_table_of_commands_is_up_to_date() -> None:
    assert TABLE.read_text("utf-8") == table(), BUILD
