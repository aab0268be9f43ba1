"""The files that people begin with. Each is valid as it stands, and still is with every comment on a key taken away."""

import json
import re

__all__ = ["CONFIG", "FIRST_PLAN", "descriptor"]

CONFIG = """\
# Defaults for `aos` in this folder and those below it. The command line and the plan go first.

# Catalogs that add skills to those that ship with aos, or override them. Paths are relative to this file.
# `aos catalog init SKILL --out skills.toml` drafts one.
# catalogs = ["skills.toml"]

# Rules that plans are held against by `aos simulate`, `aos run` and `aos policy eval`: a folder of .cedar files.
# policy = "policies"

[simulate]
# The most that a plan may cost, in cents, and the time by which it has to be done.
# budget_cents = 100
# deadline_ms = 30000

# How sure budget and deadline are to be kept, and how likely success is to be.
# confidence = 0.9
# min_success = 0.5

# Runs to simulate at first (more where the verdict is close), and where chance starts.
# samples = 10000
# seed = 0

[run]
# Secrets that plans name: a file of NAME = "value" lines that only you may read.
# secrets = "secrets.toml"

# Where email_send hands in mail, and where llm_invoke asks; `password` and `key` name secrets.
# mail = {url = "smtps://mail.example.com", from = "me@example.com", password = "smtp-password"}
# chat = {url = "https://api.openai.com/v1", key = "openai", model = "gpt-4o-mini"}

# Programs that are skills of your own: parameters as JSON on their input, a result as JSON on their output.
# commands = {my_skill = {words = ["python3", "my_skill.py"], environment = {LEVEL = "1"}}}
"""

FIRST_PLAN = """\
{
  "aos_plan": "1",
  "name": "bitcoin price to a chat",
  "budget": 100,
  "steps": [
    {
      "id": "price",
      "skill": "http_call",
      "params": {"url": "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd"}
    },
    {"id": "pick", "skill": "json_transform", "params": {"query": "bitcoin.usd"}},
    {"id": "tell", "skill": "webhook_send", "params": {"url": "https://hooks.example.com/services/T0/B0"}}
  ]
}
"""

_DESCRIPTOR = """\
# One skill for `aos simulate`. Say what you know: a figure that is left out is unknown, never 0, and a forecast
# that would need it says so. `aos catalog check FILE` finds what is wrong; `--catalog FILE` or `catalogs` in
# aos.toml puts it to use.
aos_catalog = "1"

[skills.{key}]
version = "1"
purpose = {purpose}

# Milliseconds of one clean attempt: a number, or p50 with p90, p95 or p99, or low and high. `method` is how you know.
# latency_ms = {{p50 = 500, p90 = 1200, method = "read off the dashboard"}}

# Cents of one attempt, in the same forms.
# cost_cents = {{value = 0.2, method = "price list of 2026-01"}}

# The key of the output that the next step gets where it asks for no other.
# main_output = "result"

# At most so many a minute in the long run, and so many at once.
# rate_limit = {{per_minute = 60, burst = 10}}

# What it does to the world. All five have to be said.
[skills.{key}.effects]
read_only = false
idempotent = false
destructive = true
reversible = false
open_world = true

# How failures are tried again: at most max_attempts in all; the wait doubles from backoff_ms on.
# [skills.{key}.retry]
# max_attempts = 3
# backoff_ms = 500

# One block for each way to fail: TRANSIENT (a retry may help), PERMANENT, PERMISSION or RESOURCE. Without any
# block nobody knows how it fails; `failures = []` above says that it doesn't.
# [[skills.{key}.failures]]
# code = "TIMEOUT"
# category = "TRANSIENT"
# probability = {{value = 0.01, method = "one call in a hundred last month"}}
# time_ms = 10000

# The parameters, as a JSON Schema: plans are checked against it. The output is described likewise.
# [skills.{key}.input_schema]
# type = "object"
# required = ["text"]
# additionalProperties = false
# [skills.{key}.input_schema.properties]
# text = {{type = "string", description = "what to work on"}}
"""


def descriptor(skill: str) -> str:
    """A commented TOML catalog with that one skill in it."""
    # A JSON string is a TOML string, and bare keys hold less than a skill's id may.
    quoted = json.dumps(skill)
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", skill)
    purpose = json.dumps(f"What {skill} does, in one sentence")
    return _DESCRIPTOR.format(key=skill if bare else quoted, purpose=purpose)
