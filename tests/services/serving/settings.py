"""Settings that suffice for `aos-server serve`."""

SERVE = {
    "REDIS_URL": "redis://127.0.0.1:1/0",  # not needed to start
    "AOS_OIDC_ISSUER": "https://login.example.com",
    "AOS_OIDC_AUDIENCE": "aos",
    "AOS_PORT": "0",
}
