"""Settings: everything wrong is said at once, and nothing unsafe starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import InputError
from aos_server.settings import CLIENT_VARIABLES, VARIABLES, Secret, read

SERVE = {
    "DATABASE_URL": "postgresql://aos_app:hunter2@127.0.0.1:6432/aos",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "AOS_OIDC_ISSUER": "https://login.example.com",
    "AOS_OIDC_AUDIENCE": "aos",
}


def wrong(environment: dict[str, str], process="serve") -> dict[str, str]:
    """Codes by the name of the variable."""
    with pytest.raises(InputError) as caught:
        read(environment, process)
    return {finding.pointer.removeprefix("/"): finding.code for finding in caught.value.findings}


def test_development_needs_nothing_and_serving_the_least():
    assert read({}, "dev").auth.enabled
    settings = read(SERVE, "serve")
    assert settings.limits.evaluate_rpm == 60
    assert settings.port == 8000
    assert settings.auth.issuer == "https://login.example.com"


def test_everything_wrong_is_said_at_once():
    assert wrong(
        {
            "DATABASE_URL": "mysql://x",
            "RBAC_ENABLED": "maybe",
            "AUTH_SERVICE_URL": "https://auth.example.com",
            "AUTH_SERVICE_TIMEOUT": "nan",
            "RATE_LIMIT_ENABLED": "false",
            "RATE_LIMIT_DEFAULT_RPM": "0",
            "AOS_AUDIT_KEY_PATH": "key.pem",
            "AOS_HOST": "0.0.0.0",
            "AOS_OIDC_ISUER": "https://login.example.com",
            "AOS_OPERATING_TENANT": "a b",
            "AOS_AUDIT_EVALUATIONS": "some",
        }
    ) == {
        "DATABASE_URL": "bad_value",
        "RBAC_ENABLED": "bad_value",
        "AUTH_SERVICE_TIMEOUT": "bad_value",
        "AUTH_API_KEY": "missing_setting",
        "RATE_LIMIT_ENABLED": "unsafe_setting",
        "REDIS_URL": "missing_setting",
        "RATE_LIMIT_DEFAULT_RPM": "bad_value",
        "AOS_AUDIT_KEY_PATH": "bad_value",
        "AOS_HOSTS": "missing_setting",
        "AOS_OIDC_ISUER": "unknown_key",
        "AOS_OPERATING_TENANT": "bad_value",
        "AOS_AUDIT_EVALUATIONS": "bad_value",
    }


@pytest.mark.parametrize("off", ["false", "0", "FALSE", " false "])
def test_no_switch_turns_authorization_off_but_in_development(off):
    assert wrong({**SERVE, "RBAC_ENABLED": off}) == {"RBAC_ENABLED": "unsafe_setting"}
    assert not read({"RBAC_ENABLED": off}, "dev").auth.enabled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://postgres:x@127.0.0.1/aos"),
        ("DATABASE_URL", "postgresql://aos_owner:x@127.0.0.1/aos"),
        ("AOS_OIDC_ISSUER", "http://login.example.com"),
        ("RATE_LIMIT_ENABLED", "0"),
    ],
)
def test_what_is_unsafe_does_not_start(name, value):
    assert wrong({**SERVE, name: value}) == {name: "unsafe_setting"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://aos_app:100%sure@127.0.0.1:6432/aos"),
        ("REDIS_URL", "redis://127.0.0.1/zero"),
        ("REDIS_URL", "redis://127.0.0.1/0?socket_timeout=60"),
        ("REDIS_URL", "redis://127.0.0.1/0?nonsense=1"),
        ("AOS_HOSTS", "https://aos.example.com"),
        ("AOS_HOSTS", "aos.example.com:8000"),
        ("AOS_HOSTS", "aos.example.com, *"),
        ("AOS_PLAINTEXT_HOSTS", "http://auth.internal"),
        ("AOS_WEBHOOK_HOSTS", "hooks.internal/path"),
    ],
)
def test_what_would_be_understood_otherwise_than_meant_is_refused(name, value):
    assert wrong(SERVE | {name: value}) == {name: "bad_value"}


def test_what_is_meant_is_understood():
    more = {"REDIS_URL": "rediss://127.0.0.1/7?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required"}
    more |= {"DATABASE_URL": "postgresql://aos_app:100%25sure@[::1]:6432/aos?sslmode=verify-full"}
    hosts = {"AOS_HOST": "0.0.0.0", "AOS_HOSTS": "AOS.example.com, [::1],10.0.0.1,under_score"}
    settings = read(SERVE | more | hosts, "serve")
    assert settings.hosts == ("aos.example.com", "::1", "10.0.0.1", "under_score")
    assert settings.limits.redis_url == more["REDIS_URL"]


@pytest.mark.parametrize(("given", "other"), [("ID", "SECRET"), ("SECRET", "ID")])
def test_who_asks_about_tokens_needs_a_name_and_a_secret(given, other):
    found = wrong(SERVE | {f"AOS_OIDC_CLIENT_{given}": "x"})
    assert found == {f"AOS_OIDC_CLIENT_{other}": "missing_setting"}


def test_plain_text_only_to_this_machine_or_a_host_that_is_named():
    auth = {**SERVE, "AUTH_SERVICE_URL": "http://auth:8001", "AUTH_API_KEY": "k"}
    assert wrong(auth) == {"AUTH_SERVICE_URL": "unsafe_setting"}
    assert wrong({**auth, "AOS_PLAINTEXT_HOSTS": "auth.example"}) == {"AUTH_SERVICE_URL": "unsafe_setting"}
    assert (
        read({**auth, "AOS_PLAINTEXT_HOSTS": "other, Auth"}, "serve").auth.service_url == "http://auth:8001"
    )
    assert read({**auth, "AUTH_SERVICE_URL": "http://127.0.0.1:8001/"}, "serve").auth.service_url[-1] == "1"


INBOX = {"AOS_PUBLIC_URL": "https://aos.example", "AOS_WEB_CLIENT_ID": "web"}


@pytest.mark.parametrize(
    ("more", "findings"),
    [
        ({}, {}),
        ({"AOS_PUBLIC_URL": "http://127.0.0.1:8000"}, {}),
        ({"AOS_PUBLIC_URL": ""}, {"AOS_PUBLIC_URL": "missing_setting"}),
        ({"AOS_WEB_CLIENT_ID": "", "AOS_WEB_CLIENT_SECRET": "x"}, {"AOS_WEB_CLIENT_ID": "missing_setting"}),
        ({"AOS_PUBLIC_URL": "https://aos.example/aos"}, {"AOS_PUBLIC_URL": "bad_value"}),
        ({"AOS_PUBLIC_URL": "https://aos.example:443"}, {"AOS_PUBLIC_URL": "bad_value"}),
        ({"AOS_HOSTS": "other.example"}, {"AOS_PUBLIC_URL": "bad_value"}),
        (
            {"AOS_PUBLIC_URL": "http://aos.example", "AOS_PLAINTEXT_HOSTS": "aos.example"},
            {"AOS_PUBLIC_URL": "unsafe_setting"},
        ),
    ],
)
def test_browsers_come_with_tls_to_a_name_of_this_server(more, findings):
    environment = SERVE | INBOX | more
    assert (wrong(environment) if findings else {}) == findings
    if not findings:
        assert read(environment, "serve").web.client_id == "web"


def test_development_listens_to_this_machine_only():
    assert wrong({"AOS_HOST": "0.0.0.0"}, "dev") == {"AOS_HOST": "unsafe_setting"}
    assert read({"AOS_HOST": "::1"}, "dev").host == "::1"


def test_who_can_not_be_identified_is_not_served():
    rest = {key: value for key, value in SERVE.items() if not key.startswith("AOS_OIDC")}
    assert wrong(rest) == {"AOS_OIDC_ISSUER": "missing_setting"}
    assert wrong({**rest, "AOS_OIDC_ISSUER": SERVE["AOS_OIDC_ISSUER"]}) == {
        "AOS_OIDC_AUDIENCE": "missing_setting"
    }


def test_each_process_needs_what_it_touches():
    assert set(wrong({}, "migrate")) == {"AOS_MIGRATE_DATABASE_URL"}
    assert set(wrong({}, "worker")) == {
        "DATABASE_URL",
        "AOS_AUDIT_KEY_PATH",
        "AOS_AUDIT_CHECKPOINTS_PATH",
    }


def test_no_secret_is_shown():
    settings = read({**SERVE, "AUTH_API_KEY": "hunter2"}, "serve")
    assert "hunter2" not in repr(settings)
    with pytest.raises(InputError) as caught:
        read({**SERVE, "DATABASE_URL": "postgres://aos_app:hunter2@h:99999/aos"}, "serve")
    assert "hunter2" not in f"{caught.value} {caught.value.findings}"


@given(st.dictionaries(st.sampled_from([*VARIABLES, *CLIENT_VARIABLES]), st.text(max_size=40)))
def test_any_environment_gives_settings_or_a_list(environment):
    for process in ("dev", "serve", "worker", "migrate"):
        assert _pointers(environment, process) <= {f"/{name}" for name in VARIABLES}


def _pointers(environment: dict[str, str], process) -> set[str]:
    try:
        read(environment, process)
    except InputError as error:
        return {finding.pointer for finding in error.findings}
    return set()


def test_a_secret_is_text_all_the_same():
    assert Secret("a") + "b" == "ab"
