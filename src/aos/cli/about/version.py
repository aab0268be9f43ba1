"""`aos version`."""

import platform

import aos
from aos.cli.answer import Answer


def version() -> Answer:
    """Show the version of aos, of Python, and of the file formats."""

    def document() -> dict[str, object]:
        from aos.wire.results.documents import envelope

        return {
            **envelope("aos.version/1"),
            "python": platform.python_version(),
            "formats": {"aos_plan": "1", "aos_catalog": "1"},
        }

    return Answer(document, lambda _: f"aos {aos.__version__}")
