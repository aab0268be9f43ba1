"""Who may allow what: rules, requests, and what an approval binds."""
