"""Webhooks: where messages go, and how each gets there.

targets     which addresses they may have
endpoints   what people do with them: make, change, disable, test, ask for the secret
deliveries  what people see of deliveries, and deliver again
messages    what is sent: the body and its signatures
schedule    when something is tried again, and when no more
queue       what workers do: spread messages, claim deliveries, settle tries
health      webhooks that answer no more are disabled
"""
