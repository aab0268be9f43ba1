"""Secrets: where they are found, and where they are not shown."""

import base64
import json
import os
import subprocess
import sys
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import AosError
from aos.runtime.masking import Masker
from aos.runtime.secrets import Secrets
from aos.wire.problems import visible


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secrets.toml"
    path.write_text('slack-token = "from-file"\nshort = "abc"\n')
    path.chmod(0o600)
    return path


def test_the_environment_comes_first_then_the_file_then_the_keyring(file):
    secrets = Secrets({"AOS_SECRET_SLACK_TOKEN": "from-environment"}, file, {"other": "from-keyring"}.get)
    assert secrets.get("slack-token") == "from-environment"
    assert Secrets({}, file, {"slack-token": "no"}.get).get("slack-token") == "from-file"
    assert secrets.get("other") == "from-keyring"
    assert secrets.get("nothing") is None


def test_other_variables_of_the_environment_are_out_of_reach():
    assert Secrets({"HOME": "/root", "AWS_SECRET_ACCESS_KEY": "xxxx"}).get("AWS_SECRET_ACCESS_KEY") is None


def test_what_is_too_short_to_be_masked_is_no_secret(file):
    assert Secrets({}, file).get("short") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(AosError) as caught:
        Secrets({}, file).get("slack-token")
    assert (caught.value.code, caught.value.fix) == ("invalid_config", f"chmod 600 {file}")


@pytest.mark.parametrize("content", ["a = ", "a = 1", "a = '" + "x" * 70_000 + "'"])
def test_a_broken_file_is_told(file, content):
    file.write_text(content)
    with pytest.raises(AosError) as caught:
        Secrets({}, file).get("a")
    assert caught.value.code == "invalid_config"


def test_a_missing_file_and_a_fifo_are_told(tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name in ("none", "fifo", "."):
        with pytest.raises(AosError) as caught:
            Secrets({}, tmp_path / name).get("a")
        assert caught.value.code == "unreadable"


def test_a_keyring_is_asked_and_a_missing_one_has_nothing(tmp_path):
    (tmp_path / "memory.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def get_password(self, service, name): return f'{service}/{name}'\n"
        "    def set_password(self, service, name, password): pass\n"
    )
    program = "from aos.runtime.secrets import from_keyring; print(from_keyring('token'))"
    for backend, expected in (("memory.Keyring", "aos/token"), ("keyring.backends.fail.Keyring", "None")):
        environment = {**os.environ, "PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": str(tmp_path)}
        told = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
        assert told.strip() == expected


TOKEN = 'p@ss/w+rd "quoted" \\ é\n'

FORMS = {
    "plain": TOKEN,
    "json": json.dumps({"t": TOKEN}),
    "json with letters": json.dumps({"t": TOKEN}, ensure_ascii=False),
    "json in json": json.dumps(json.dumps({"t": TOKEN})),
    "url": quote(TOKEN),
    "url, lower case": quote(TOKEN, safe="").replace("%2F", "%2f").replace("%C3%A9", "%c3%a9").lower(),
    "query": urlencode({"t": TOKEN}),
    "form": quote_plus(TOKEN),
    "repr": repr({"t": TOKEN}),
    "html": "<p>p@ss/w+rd &quot;quoted&quot; \\ é\n</p>",
    "hex": TOKEN.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form):
    masked = Masker({"token": TOKEN}).text(f"before {FORMS[form]} after")
    assert "[secret token]" in masked
    assert "w+rd" not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


SECRETS = st.text(st.characters(codec="utf-8"), min_size=8, max_size=30)


@given(SECRETS, st.text(max_size=9), st.text(max_size=9), st.booleans())
def test_a_secret_is_masked_inside_something_longer_in_base64(secret, before, after, urlsafe):
    """As in `Authorization: Basic`, which encodes user and password as one."""
    whole = f"{before}{secret}{after}".encode("utf-8", "surrogatepass")
    encoded = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(whole).decode()
    masked = Masker({"s": secret}).text(encoded)
    assert "[secret s]" in masked
    # What is left decodes to at most the edges of the secret: two bytes at each end.
    assert (
        len(masked.replace("[secret s]", "").rstrip("="))
        <= len(encoded) - (len(secret.encode()) - 4) * 8 // 6
    )


@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
def test_no_secret_is_left_in_what_is_recorded(secret, before, after):
    value = {before: [before + secret + after, {secret: 1}], "n": None}
    masked = Masker({"s": secret}).value(value)
    assert secret not in json.dumps(masked, ensure_ascii=False) or secret in "[secret s]" or secret in before
    assert Masker({"s": secret}).value({"number": True}) == {"number": True} or secret in "number"


def test_a_number_that_is_the_secret_is_masked():
    assert Masker({"pin": "483920"}).value([483920, 4839201, True]) == ["[secret pin]", 4839201, True]


def test_each_line_of_a_key_is_masked():
    key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHrK\nLBiXKFo5YkDOxWpbXVTuRm8V\n-----END PRIVATE KEY-----\n"
    assert Masker({"key": key}).text("bad line: LBiXKFo5YkDOxWpbXVTuRm8V!") == "bad line: [secret key]!"


def test_only_what_was_given_out_is_masked():
    secrets = Secrets({"AOS_SECRET_A": "aaaa", "AOS_SECRET_B": "bbbb"})
    secrets.get("a")
    assert secrets.masker.text("aaaa bbbb") == "[secret a] bbbb"
    secrets.remember("url", "cccc")
    assert secrets.masker.text("aaaa cccc") == "[secret a] [secret url]"


@given(SECRETS, st.integers(4, 30))
def test_a_secret_that_was_cut_off_is_masked_up_to_the_cut(secret, length):
    shown = visible(f"before {secret} after", len("before ") + length)
    masked = Masker({"s": secret}).text(shown)
    assert masked.startswith("before [secret s]")
