"""What the commands about keys take."""

from typing import Annotated

from typer import Argument, Option

__all__ = ["DryRun", "Version"]

Version = Annotated[str, Argument(metavar="VERSION", help="v1, v2 …")]
DryRun = Annotated[bool, Option("--dry-run", help="Say what would change, and change nothing.")]
