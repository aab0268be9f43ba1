"""What `aos run` takes besides what a forecast takes."""

from pathlib import Path
from typing import Annotated

from typer import Option

from aos.cli import suggest

Force = Annotated[bool, Option("--force", help="Run it even though the verdict is not feasible.")]
Yes = Annotated[bool, Option("--yes", help="Do not ask before steps that can't be undone.")]
Resume = Annotated[
    str | None,
    Option(
        "--resume",
        autocompletion=suggest.runs,
        metavar="RUN",
        help="Go on with a run that pauses or was cut off: its id, or how it starts.",
    ),
]
Retry = Annotated[
    str | None,
    Option(
        "--retry",
        autocompletion=suggest.runs,
        metavar="RUN",
        help="Try a run again from where it failed: its id, or how it starts.",
    ),
]
AllowHosts = Annotated[
    list[str] | None,
    Option("--allow-host", metavar="HOST", help="A host that may have any address. May be given again."),
]
AllowPrivate = Annotated[
    bool, Option("--allow-private", help="Let calls reach this machine and private networks.")
]
Workspace = Annotated[
    Path | None,
    Option(
        "--workspace",
        metavar="FOLDER",
        exists=True,
        file_okay=False,
        help="The folder that fs_read and fs_write keep to.",
    ),
]
Events = Annotated[
    bool, Option("--events", help="Print what happens as lines of JSON, the result as the last one.")
]
Approval = Annotated[
    str | None,
    Option(
        "--approval",
        metavar="ID",
        help="Use the approval of that request; with --resume, in place of the one that the run began with.",
    ),
]
AsJson = Annotated[bool, Option("--json", help="Print one JSON object.")]
