"""Approval requests: make one, decide on it, use it. The rules are in `aos.domain.approvals.requests`."""
