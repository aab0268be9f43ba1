"""What skills may touch, as values: whoever runs a plan decides it, and no plan can widen it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from aos.runtime.guards.answers import AnswerCache
from aos.runtime.guards.network import Network
from aos.runtime.secrets import Secrets

__all__ = ["ChatService", "Command", "MailServer", "World"]


class MailServer(NamedTuple):
    """`url` is smtp://[USER[:PASSWORD]@]HOST[:PORT] (587, then TLS by STARTTLS) or smtps:// (465, TLS from the start),
    `sender` the address that messages are from.

    Without a password in the URL it is the secret `password`. Only on this machine is a server taken that has no TLS.
    """

    url: str
    sender: str
    password: str = "smtp-password"


class ChatService(NamedTuple):
    """A service that speaks OpenAI's chat completions, at `url` (https://api.openai.com/v1).

    `key` names the secret that is sent as a bearer token (None: none is), `model` the one for steps that name none,
    `provider` whose price list holds, where several have models of one name.
    """

    url: str
    key: str | None = None
    model: str | None = None
    provider: str | None = None


class Command(NamedTuple):
    """A program that is a skill: its words, and what it finds in its environment beside PATH, HOME and LANG."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = {}


class World(NamedTuple):
    """`workspace` is the folder of files, `network` how far calls reach, `secrets` where keys are from and what masks
    them. `mail` and `chat` are named by whoever runs the plan and may be anywhere; `commands` are skills by id. With
    `answers` a GET that is made again asks whether the answer before still holds."""

    workspace: Path
    secrets: Secrets
    network: Network = Network()
    mail: MailServer | None = None
    chat: ChatService | None = None
    commands: Mapping[str, Command] = {}
    answers: AnswerCache | None = None
