"""What the commands about webhooks take."""

from typing import Annotated

from typer import Argument

__all__ = ["Webhook"]

Webhook = Annotated[str, Argument(metavar="WEBHOOK", help="Its id, as `aos webhooks list` shows it: wh_…")]
