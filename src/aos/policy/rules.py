"""Rules from text to something that decides: everything that is wrong with them at once."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from aos.domain.approvals.policies import Facts, Rule
from aos.errors import Finding, InputError
from aos.policy.cedar import DATA, cedar, schema
from aos.policy.syntax import MAX_NESTING, MAX_OPERATORS, MAX_STATEMENT, Statement, fault, statements

__all__ = ["MAX_BYTES", "MAX_RULES", "Policy", "Source", "default_policy", "load", "skills_named"]

MAX_BYTES = 256 * 1024
MAX_RULES = 1_000

_NAMES = ("Aos::Agent", "Aos::Tenant", "Aos::Skill", "Aos::Plan", 'Aos::Action::"run"', 'Aos::Action::"call"')
_FACTS = ("approval_level", *Facts._fields)


class Source(NamedTuple):
    """A file of rules: what people call it, and what stands in it."""

    name: str
    data: bytes


class Policy(NamedTuple):
    """Rules that can be asked. `digest` is of what they mean: comments, layout and order are no part of it.

    `handle` is Cedar's own form of them, in which rule i is called `policy<i>`; `forms` has each as canonical JSON.
    """

    rules: tuple[Rule, ...]
    digest: str
    handle: Any
    forms: tuple[str, ...]


class _Placed(NamedTuple):
    file: str
    statement: Statement


def load(sources: Sequence[Source], name: str = "policy") -> Policy:
    """Read rules. Raises InputError(invalid_policy) with everything that is wrong in any of the files."""
    findings, placed = list[Finding](), list[_Placed]()
    for source in sources:
        for found in _read(source):
            (findings if isinstance(found, Finding) else placed).append(found)  # type: ignore[arg-type]
    if not findings and not placed:
        findings = [Finding("", "missing_key", "there is no rule in it, so nothing would be allowed")]
    if len(placed) > MAX_RULES:
        raise _invalid(name, [Finding("", "too_large", f"{len(placed):,} rules; at most {MAX_RULES:,}")])
    text = "\n".join(one.statement.text for one in placed)
    handle = cedar().PolicySet.from_str(text)
    parsed = json.loads(cedar().policies_to_json_str(text), parse_int=str)["staticPolicies"]
    rules = tuple(_rule(one, parsed[f"policy{i}"]) for i, one in enumerate(placed))
    findings += [*_twice(rules), *_against_schema(text, rules)]
    if findings:
        order = [_pointer(source.name) for source in sources]
        raise _invalid(
            name, sorted(findings, key=lambda one: order.index(one.pointer) if one.pointer else -1)
        )
    forms = tuple(_form(parsed[f"policy{i}"]) for i in range(len(rules)))
    return Policy(rules, _digest(forms), handle, forms)


@cache
def default_policy() -> Policy:
    """The policy that ships."""
    return load([Source("default.cedar", (DATA / "default.cedar").read_bytes())])


def skills_named(policy: Policy) -> Iterator[tuple[Rule, str]]:
    """Every skill that a rule names, in its head or in its conditions."""
    for rule, form in zip(policy.rules, policy.forms, strict=True):
        found, waiting = set[str](), [json.loads(form)]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                if one.get("type") == "Aos::Skill" and isinstance(one.get("id"), str):
                    found.add(one["id"])
                one = list(one.values())
            if isinstance(one, list):
                waiting += one
        yield from ((rule, skill) for skill in sorted(found))


def _invalid(name: str, findings: Sequence[Finding]) -> InputError:
    return InputError.of("invalid_policy", name, findings)


def _read(source: Source) -> Iterator[Finding | _Placed]:
    """Every statement that parses, and what is wrong with the others."""
    pointer = _pointer(source.name)
    if len(source.data) > MAX_BYTES:
        yield Finding(pointer, "too_large", f"{source.name}: more than {MAX_BYTES:,} bytes")
        return
    try:
        text = source.data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        yield Finding(pointer, "not_utf8", f"{source.name}:{line}: byte {error.start} is not UTF-8")
        return
    for count, statement in enumerate(statements(text.removeprefix("\ufeff")), start=1):
        if count > MAX_RULES:
            yield Finding(pointer, "too_large", f"{source.name}: more than {MAX_RULES:,} rules")
            return
        place = f"{source.name}:{statement.line}"
        if statement.nesting > MAX_NESTING:
            yield Finding(pointer, "too_deep", f"{place}: brackets nested deeper than {MAX_NESTING}")
        elif statement.operators > MAX_OPERATORS:
            yield Finding(
                pointer, "too_deep", f"{place}: more than {MAX_OPERATORS} operators; split the rule"
            )
        elif len(statement.text) > MAX_STATEMENT:
            yield Finding(pointer, "too_large", f"{place}: a rule of more than {MAX_STATEMENT:,} characters")
        elif wrong := fault(statement):
            at = f"{source.name}:{wrong.line}:{wrong.column}"
            yield Finding(pointer, "malformed", f"{at}: {wrong.message}{_advice(wrong.message)}")
        elif not len(cedar().PolicySet.from_str(statement.text)):
            yield Finding(pointer, "bad_value", f"{place}: a template; name the principal and the resource")
        else:
            yield _Placed(source.name, statement)


def _advice(message: str) -> str:
    if message.startswith("unexpected end"):
        return "; end the rule with `;`, and close its brackets and strings"
    return "; something is missing or superfluous just before it" if "unexpected token" in message else ""


def _rule(placed: _Placed, parsed: Any) -> Rule:
    """Cedar's own reading of a statement; an annotation without a value is null there."""
    notes = {key: value or "" for key, value in parsed.get("annotations", {}).items()}
    line = placed.statement.line
    return Rule(
        notes.get("id") or f"{placed.file}:{line}",
        parsed["effect"],
        placed.file,
        line,
        notes.get("reason", ""),
    )


def _twice(rules: Sequence[Rule]) -> Iterator[Finding]:
    first = dict[str, Rule]()
    for rule in rules:
        known = first.setdefault(rule.id, rule)
        if known is not rule:
            taken = f'the id "{rule.id}" is that of {known.file}:{known.line} already'
            yield Finding(_pointer(rule.file), "duplicate_id", f"{rule.file}:{rule.line}: {taken}")


def _against_schema(text: str, rules: Sequence[Rule]) -> Iterator[Finding]:
    """What Cedar's validator says of each rule, once for both actions, in an order of its own."""
    told = set[tuple[int, str]]()
    for error in cedar().validate_policies(text, schema()).errors:
        message = error.error.removeprefix(f"for policy `{error.policy_id}`, ")
        number = int(error.policy_id.removeprefix("policy") or 0)
        told.add((number, re.sub(r' (in context )?for Aos::Action::"(run|call)"', "", message)))
    for number, message in sorted(told):
        rule = rules[number]
        named = re.search(r"`([^`]+)`", message)
        meant = _meant(named[1], message) if named else None
        detail = f"{rule.file}:{rule.line}: {_explained(message, named[1] if named else '')}"
        yield Finding(_pointer(rule.file), "bad_value", detail, suggestion=meant)


def _meant(name: str, message: str) -> str | None:
    known = _FACTS if "attribute" in message else _NAMES
    close = get_close_matches(name, known, 1, cutoff=0.8)
    return close[0] if close and close[0] != name else None


def _explained(message: str, name: str) -> str:
    if message.startswith("unable to find an applicable action"):
        return "no action applies to such a principal and resource: `run` takes a Plan, `call` a Skill"
    if "optional attribute" in message:
        return f"`{name}` may be unknown: write `context has {name} && …`"
    return message


def _pointer(file: str) -> str:
    return "/" + file.replace("~", "~0").replace("/", "~1")


def _form(rule: Any) -> str:
    """A rule in Cedar's JSON, in the one form that is canonical; numbers are strings."""
    return json.dumps(rule, sort_keys=True, separators=(",", ":"))


def _digest(forms: Iterable[str]) -> str:
    """SHA-256 over the rules, sorted."""
    return "sha256:" + sha256("\n".join(sorted(forms)).encode()).hexdigest()
