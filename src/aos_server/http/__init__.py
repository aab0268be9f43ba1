"""The API over HTTP: parse a request, call a service, render its answer. No SQL and no rules in here."""
