"""The table `[run]` of aos.toml: where secrets are, and the services and programs that skills are carried out by."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from aos.wire.shape import Field, Reader, at

__all__ = ["Chat", "Mail", "Program", "RunConfig", "read_run_config"]

_MOST = 1_000


class Mail(NamedTuple):
    """`url` is smtp:// or smtps://, `sender` the address that mail is from, `password` the name of a secret."""

    url: str
    sender: str
    password: str | None = None


class Chat(NamedTuple):
    """`url` is that of a service that speaks OpenAI's chat completions, `key` the name of a secret."""

    url: str
    key: str | None = None
    model: str | None = None
    provider: str | None = None


class Program(NamedTuple):
    """The words of a program that is a skill, and what it finds in its environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str]


class RunConfig(NamedTuple):
    """`secrets` is a file, `programs` are by skill id."""

    secrets: Path | None = None
    mail: Mail | None = None
    chat: Chat | None = None
    programs: Mapping[str, Program] = {}


def read_run_config(reader: Reader, value: Field, pointer: str, folder: Path) -> RunConfig:
    """Read the table; paths in it are relative to `folder`."""
    fields = reader.obj(value, pointer, known=("secrets", "mail", "chat", "commands"))
    secrets = reader.text(fields["secrets"], at(pointer, "secrets"), None)
    programs = reader.obj(fields["commands"], at(pointer, "commands"))
    return RunConfig(
        None if secrets is None else folder / secrets,
        _mail(reader, fields["mail"], at(pointer, "mail")) if "mail" in fields else None,
        _chat(reader, fields["chat"], at(pointer, "chat")) if "chat" in fields else None,
        {name: _program(reader, programs[name], at(pointer, "commands", name)) for name in programs},
    )


def _mail(reader: Reader, value: Field, pointer: str) -> Mail:
    fields = reader.obj(value, pointer, known=("url", "from", "password"), required=("url", "from"))
    return Mail(
        _url(reader, fields["url"], at(pointer, "url"), ("smtp", "smtps")),
        reader.text(fields["from"], at(pointer, "from"), ""),
        reader.text(fields["password"], at(pointer, "password"), None),
    )


def _chat(reader: Reader, value: Field, pointer: str) -> Chat:
    fields = reader.obj(value, pointer, known=Chat._fields, required=("url",))
    url = _url(reader, fields["url"], at(pointer, "url"), ("http", "https"))
    return Chat(url, *(reader.text(fields[key], at(pointer, key), None) for key in Chat._fields[1:]))


def _url(reader: Reader, value: Field, pointer: str, schemes: tuple[str, ...]) -> str:
    """A URL of one of the schemes, with a host."""
    text = reader.text(value, pointer, None)
    if text is None:
        return ""
    try:
        url = urlsplit(text)
        fits = url.scheme in schemes and url.hostname and url.port != 0
    except ValueError:
        fits = False
    if not fits:
        reader.add(pointer, "bad_value", f"expected {' or '.join(f'{scheme}://HOST' for scheme in schemes)}")
    return text


def _program(reader: Reader, value: Field, pointer: str) -> Program:
    fields = reader.obj(value, pointer, known=Program._fields, required=("words",))
    environment = reader.obj(fields["environment"], at(pointer, "environment"))
    if fields["words"] == []:
        reader.add(at(pointer, "words"), "bad_value", "a program has at least its own name")
    return Program(
        reader.texts(fields["words"], at(pointer, "words"), max_len=_MOST),
        {key: reader.text(environment[key], at(pointer, "environment", key), "") for key in environment},
    )
