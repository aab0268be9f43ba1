"""What agents can read besides: the guide to plans, their schema, skills and catalog; and a prompt to begin with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aos.api.files.catalogs import find_skill
from aos.errors import AosError
from aos.mcp.setup import Setup
from aos.wire.catalogs.capabilities import catalog, skill, skills
from aos.wire.encode import indented
from aos.wire.plans.read import plan_schema
from aos.wire.problems import visible
from aos.wire.shape import no_such

__all__ = ["LISTED", "PROMPT", "TEMPLATES", "prompt", "read"]

GUIDE = Path(__file__).with_name("data") / "guide.md"

_JSON, _MARKDOWN = "application/json", "text/markdown"
_SKILL = "aos://skills/"

_READ: Mapping[str, tuple[str, str, str, Callable[[Setup], str]]] = {
    "aos://guide": (
        "How to write plans",
        "Steps, order, references, loops, approvals; read it before you write a plan",
        _MARKDOWN,
        lambda _: GUIDE.read_text("utf-8"),
    ),
    "aos://plan.schema.json": (
        "JSON Schema of plans",
        "For whoever generates plans",
        "application/schema+json",
        lambda _: indented(plan_schema()),
    ),
    "aos://skills": (
        "Skills in full",
        "Every descriptor: schemas, cost, latency, failure modes, provenance",
        _JSON,
        lambda setup: indented(skills(setup.now().catalog)),
    ),
    "aos://catalog": (
        "The catalog",
        "The catalog that holds here, as a catalog file",
        _JSON,
        lambda setup: indented(catalog(setup.now().catalog)["catalog"]),
    ),
}

LISTED = [
    {"uri": uri, "name": uri.removeprefix("aos://"), "title": title, "description": words, "mimeType": form}
    for uri, (title, words, form, _) in _READ.items()
]
TEMPLATES = [
    {
        "uriTemplate": f"{_SKILL}{{id}}",
        "name": "skill",
        "title": "One skill",
        "description": "Its descriptor in full",
        "mimeType": _JSON,
    }
]
PROMPT: dict[str, Any] = {
    "name": "plan_task",
    "title": "Plan a task so that it is feasible",
    "description": "Write a plan for a task, and change it until its forecast keeps the limits",
    "arguments": [
        {"name": "task", "description": "What is to be done", "required": True},
        {"name": "budget_cents", "description": "The most it may cost", "required": False},
        {"name": "deadline_ms", "description": "The most it may take", "required": False},
    ],
}


def read(setup: Setup, uri: str) -> dict[str, Any]:
    """A resource as resources/read tells it. Raises AosError: not_found, skill_not_found."""
    if uri in _READ:
        _, _, form, make = _READ[uri]
        return {"uri": uri, "mimeType": form, "text": make(setup)}
    if uri.startswith(_SKILL):
        found = find_skill(setup.now().catalog, uri.removeprefix(_SKILL))
        return {"uri": uri, "mimeType": _JSON, "text": indented(skill(found))}
    missing = no_such("resource", uri, _READ, code="not_found", pointer="/uri")
    raise AosError("not_found", missing.detail, fix="resources/list has them.", findings=[missing])


def prompt(name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The prompt as prompts/get tells it. Raises AosError(invalid_arguments)."""
    known = [argument["name"] for argument in PROMPT["arguments"]]
    if name != PROMPT["name"]:
        found = no_such("prompt", name, [PROMPT["name"]], code="bad_value", pointer="/name")
        raise AosError("invalid_arguments", found.detail, findings=[found])
    for key in arguments:
        if key not in known:
            found = no_such("argument", key, known, code="unknown_key", pointer="/arguments")
            raise AosError("invalid_arguments", found.detail, findings=[found])
    if not arguments.get("task"):
        raise AosError("invalid_arguments", "plan_task needs a task")
    limits = {key: visible(arguments[key], 40) for key in known[1:] if arguments.get(key)}
    within = "".join(f" {key}={value}" for key, value in limits.items())
    text = f"""\
Plan this task, do not carry it out yet: {visible(arguments["task"], 4_000)}

1. Call list_skills, and read aos://guide.
2. Write a plan: JSON steps that call only skills that there are, each with an id.
3. Call simulate_plan with it{" and" if within else ""}{within}.
4. Not feasible: apply the smallest change it names that keeps what the task is for, and simulate again. After three
   tries stop and say what is in the way.
5. Show the plan, the verdict, p50 and p95 of cost and time, the chance of success, and who has to approve. Say what is
   unknown; it is not 0.
"""
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"description": PROMPT["description"], "messages": [message]}
