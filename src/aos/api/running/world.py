"""What a run may touch and where it is recorded: opened together, closed when the run has ended."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aos.api.running.ledgers import ledger_path, reading
from aos.files.run_config import Mail, RunConfig
from aos.ledger.ledger import Ledger
from aos.runtime.guards.addresses import Reach
from aos.runtime.guards.answers import AnswerCache
from aos.runtime.guards.network import Network
from aos.runtime.secrets import Secrets, from_keyring
from aos.runtime.skills.world import ChatService, Command, MailServer, World

__all__ = ["opened", "run_named"]


@contextmanager
def opened(
    workspace: Path, allow_hosts: Sequence[str], allow_private: bool, ledger: Path | None, config: RunConfig
) -> Iterator[tuple[World, Ledger]]:
    """The world that a run sees, and the ledger that it is recorded in; None: the one of this user.

    Raises AosError where the ledger can't be opened: write_failed, ledger_busy, ledger_damaged, ledger_foreign.
    """
    world = World(
        workspace.absolute(),
        Secrets(os.environ, config.secrets, from_keyring),
        Network(Reach(allow_private=allow_private).allowing(*allow_hosts)),
        _mail(config.mail),
        config.chat and ChatService(*config.chat),
        {name: Command(*program) for name, program in config.programs.items()},
        AnswerCache(),
    )
    with Ledger(ledger_path(ledger)) as record:
        yield world, record


def run_named(text: str, ledger: Path | None) -> str:
    """The id of the run in the ledger that starts with `text`. Raises AosError(run_not_found)."""
    from aos.ledger.reads import find_run

    with reading(ledger) as db:
        return find_run(db, text)


def _mail(mail: Mail | None) -> MailServer | None:
    if mail is None:
        return None
    server = MailServer(mail.url, mail.sender)
    return server if mail.password is None else server._replace(password=mail.password)
