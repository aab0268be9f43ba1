"""Approval requests for people: lists, and the card that somebody reads before saying yes."""
