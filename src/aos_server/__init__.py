"""The server: requests, approvals and audit over HTTP, on Postgres. It uses `aos`; `aos` never uses it."""
