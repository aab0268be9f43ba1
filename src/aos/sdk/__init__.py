"""The client of the server.

from aos.sdk import Client

with Client("https://aos.example", token=TOKEN) as client:
    client.simulate([{"skill": "http_call", "params": {"url": "https://e.org"}}], budget_cents=100)

calls       what can be asked, once for both clients
core        a call as a request, an answer as a document or an AosError, when to try again. No input or output
transport   the only place that knows httpx
client      Client and AsyncClient: `core` and `transport`, and the waiting between two tries
device      logging in from a terminal (RFC 8628)
"""

from aos.sdk.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
