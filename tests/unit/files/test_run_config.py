"""The table [run] of aos.toml: what it may say, and everything that is wrong with it at once."""

from pathlib import Path

import pytest

from aos.errors import InputError
from aos.files.config import read_config
from aos.files.run_config import Chat, Mail, Program

WHOLE = """
[run]
secrets = "secrets.toml"
mail = {url = "smtps://mail.example.com", from = "me@example.com"}
chat = {url = "https://chat.example.com/v1", key = "chat", provider = "them"}
commands = {mine = {words = ["python3", "mine.py"], environment = {LEVEL = "1"}}}
"""

WRONG = """
[run]
secret = "s"
mail = {url = "smtps://mail.example.com"}
chat = {url = 5}
commands = {mine = {words = []}, other = {}, third = {words = "ls"}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "aos.toml"
    path.write_text(text)
    return path


def test_it_says_where_secrets_and_services_are(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE)).run
    assert config.secrets == tmp_path / "secrets.toml"
    assert config.mail == Mail("smtps://mail.example.com", "me@example.com")
    assert config.chat == Chat("https://chat.example.com/v1", "chat", None, "them")
    assert config.programs == {"mine": Program(("python3", "mine.py"), {"LEVEL": "1"})}


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_config(written(tmp_path, WRONG))
    assert {(finding.pointer, finding.code) for finding in refused.value.findings} == {
        ("/run/secret", "unknown_key"),
        ("/run/mail", "missing_key"),
        ("/run/chat/url", "wrong_type"),
        ("/run/commands/mine/words", "bad_value"),
        ("/run/commands/other", "missing_key"),
        ("/run/commands/third/words", "wrong_type"),
    }


@pytest.mark.parametrize(
    "url", ["mail.example.com", "ftp://x", "smtp://", "smtp://x:99999", "smtp://[", "smtp://x:0", ""]
)
def test_a_service_is_named_by_a_url_of_its_kind(tmp_path: Path, url: str) -> None:
    text = f'[run]\nmail = {{url = "{url}", from = "a@b.c"}}\nchat = {{url = "{url}"}}\n'
    with pytest.raises(InputError) as refused:
        read_config(written(tmp_path, text))
    assert [finding.pointer for finding in refused.value.findings] == ["/run/mail/url", "/run/chat/url"]
