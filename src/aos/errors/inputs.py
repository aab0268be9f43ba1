"""Codes of what is read: files, documents, plans, catalogs, configuration."""

from aos.errors.rows import Code, Exit

__all__ = ["ROWS"]

ROWS: dict[str, Code] = {
    # -- reading an input ------------------------------------------------------------------------
    "unreadable": Code(
        "input",
        "Input can't be read",
        "The file does not exist, is not a regular file, or may not be read.",
        "Check the path and its permissions; `-` reads standard input.",
    ),
    "too_large": Code(
        "input",
        "Input too large",
        "The input is over a published limit; the detail names the limit.",
        "Split it, or generate the repeated part with `for_each` or `iterations`.",
        status=413,
    ),
    "too_deep": Code(
        "input",
        "Input nested too deeply",
        "Objects and arrays are nested deeper than 32 levels.",
        "Flatten the value.",
    ),
    "not_utf8": Code(
        "input",
        "Not UTF-8",
        "The input is not UTF-8 text (or starts with a byte order mark, or holds a lone surrogate).",
        "Save it as UTF-8 without a byte order mark.",
    ),
    "malformed": Code(
        "input",
        "Malformed text",
        "The text is not well-formed JSON, YAML or TOML; the detail has line and column.",
        "Mend the text at the place named.",
        status=400,
    ),
    "duplicate_key": Code(
        "input",
        "Duplicate key",
        "An object names the same key twice, so its meaning depends on who reads it.",
        "Remove one of the two.",
    ),
    "number_out_of_range": Code(
        "input",
        "Number out of range",
        "Numbers must be finite and integers below 2^53 in size (NaN, Infinity and 1e400 are refused).",
        "Use a finite number.",
    ),
    "yaml_feature": Code(
        "input",
        "YAML feature refused",
        "YAML is read with JSON's data model: tags, anchors, aliases and merge keys are refused.",
        "Write the value out in full.",
    ),
    # -- the shape of a document -----------------------------------------------------------------
    "wrong_type": Code(
        "input",
        "Wrong type",
        "A value has another JSON type than the one expected here.",
        'Write the value with the expected type; `true` is not a number, "5" is not 5.',
    ),
    "unknown_key": Code(
        "input",
        "Unknown key",
        "The object has a key that nobody reads. Free keys start with `x-` or are called `_meta`.",
        "Correct the spelling or remove the key.",
    ),
    "missing_key": Code(
        "input",
        "Missing key",
        "A required key is absent.",
        "Add it.",
    ),
    "bad_value": Code(
        "input",
        "Value not allowed",
        "The value has the right type but is not one of those allowed here, or is out of its range.",
        "Use one of the allowed values.",
    ),
    # -- plans -----------------------------------------------------------------------------------
    "invalid_plan": Code(
        "plan",
        "Invalid plan",
        "The plan can't be simulated or run as written; `errors` lists everything wrong with it.",
        "`aos plan schema` prints the format; `aos skills` lists what a step can call.",
    ),
    "unknown_skill": Code(
        "plan",
        "Unknown skill",
        "A step calls a skill that is in no catalog given.",
        "Correct the name, or add the skill: `aos catalog init SKILL`.",
    ),
    "bad_params": Code(
        "plan",
        "Parameters don't fit the skill",
        "The step's `params` break the skill's input schema.",
        "`aos skill NAME` shows the parameters.",
    ),
    "duplicate_id": Code(
        "plan",
        "Duplicate step id",
        "Two steps have the same id.",
        "Rename one of them.",
    ),
    "unknown_step": Code(
        "plan",
        "Unknown step",
        "`needs`, `when`, `on_error` or a reference names a step that the plan does not have.",
        "Correct the id.",
    ),
    "cycle": Code(
        "plan",
        "Steps wait for each other",
        "The steps' `needs`, `when` and references form a cycle, so none of them could start.",
        "Remove one of the edges named in the detail.",
    ),
    "forward_reference": Code(
        "plan",
        "Reference to a later step",
        "A step uses the output of a step that stands after it in the plan.",
        "Move the step that produces the value before the one that uses it.",
    ),
    "bad_reference": Code(
        "plan",
        "Malformed reference",
        "`${...}` holds something that is no reference: steps.ID.output.PATH, inputs.NAME, secrets.NAME, "
        "item or index.",
        "Correct it, or write `$${` for a literal `${`.",
    ),
    "unknown_output": Code(
        "plan",
        "Unknown output",
        "A reference names something that the output of that step's skill does not have.",
        "`aos skill NAME` shows the output; the output of a `for_each` step is an array.",
    ),
    "unknown_input": Code(
        "plan",
        "Unknown input",
        "A reference names an input that the plan's `inputs` do not have.",
        "Add it under `inputs`, or pass it with --input NAME=VALUE.",
    ),
    "fallback_shared": Code(
        "plan",
        "Fallback used twice",
        "A fallback step belongs to exactly one step.",
        "Give each step a fallback of its own.",
    ),
    "fallback_ordered": Code(
        "plan",
        "Fallback used as an ordinary step",
        "A fallback step runs only when its step fails; other steps can't need it, refer to it or wait for it.",
        "Refer to the step it stands in for: its output is the fallback's when that one ran.",
    ),
    "retry_widened": Code(
        "plan",
        "Retry wider than the catalog's",
        "A plan may only tighten the catalog's retry policy.",
        "Lower the figure, or change the catalog.",
    ),
    "too_many_steps": Code(
        "plan",
        "Too many steps",
        "A plan file holds at most 200 steps, 5,000 over the API, and 5,000 expanded instances.",
        "Split the plan, or lower `iterations` or the number of items.",
    ),
    # -- catalogs and configuration --------------------------------------------------------------
    "invalid_catalog": Code(
        "catalog",
        "Invalid catalog",
        "The catalog can't be used as written; `errors` lists everything wrong with it.",
        "`aos catalog check FILE` repeats this list.",
    ),
    "invalid_policy": Code(
        "policy",
        "Invalid policy",
        "The rules can't be read, or speak of what there is not; `errors` lists everything wrong, with file and line.",
        "Mend what is listed and check again: `aos policy check DIR`.",
    ),
    "policy_engine_missing": Code(
        "policy",
        "Policy engine not installed",
        "Policies are evaluated by Cedar, in a package that is not installed.",
        "pip install 'aos-plan[policy]'",
    ),
    "invalid_records": Code(
        "records",
        "Records can't be used",
        "Columns are missing, or not one row of the file is left that could be used.",
        "docs/records.md has the format; `errors` says what is wrong, with line numbers.",
    ),
    "skill_not_found": Code(
        "catalog",
        "No such skill",
        "No skill of that name stands in the catalogs given.",
        "`aos skills` lists those there are.",
        status=404,
    ),
    "invalid_result": Code(
        "result",
        "Not a saved result",
        "What was to be verified is not what `aos simulate --json` prints, or lacks what it was computed from.",
        "Save the output of `aos simulate PLAN --json` whole.",
    ),
    "result_damaged": Code(
        "result",
        "Saved result damaged",
        "The plan inside a saved result is not the one that the result's own digest was taken of.",
        "Get the result anew: what it says belongs to another plan than the one in it.",
        Exit.DAMAGED,
        409,
    ),
    "invalid_config": Code(
        "config",
        "Invalid configuration",
        "aos.toml or a setting can't be used as written; `errors` lists everything wrong with it.",
        "`aos init` writes a commented example to compare with.",
    ),
    "missing_setting": Code(
        "config",
        "Setting missing",
        "The server needs an environment variable that is not set.",
        "Set it; docs/server.md lists every setting.",
    ),
    "unsafe_setting": Code(
        "config",
        "Unsafe setting",
        "A setting would leave the server open: without authorization, in plain text, or with rights it must not have.",
        "Change it as the detail says. Only `aos-server dev`, which listens to this machine alone, goes without.",
    ),
    "file_exists": Code(
        "config",
        "File exists",
        "The file to be written already exists, and nothing was changed.",
        "Choose another path, or give --force to replace it.",
        Exit.USAGE,
        409,
    ),
    "not_implemented": Code(
        "run",
        "Skill not implemented",
        "A step calls a skill that is described here, but that nothing here carries out.",
        "Set it up under [run] in aos.toml (`mail`, `chat`, or a program in `commands`), or use another skill; "
        "`aos simulate` needs none.",
    ),
    "secret_missing": Code(
        "run",
        "Secret missing",
        "A step names a secret that is not to be found, or one of less than 4 characters, which could not be masked. "
        "Nothing was run.",
        "Set AOS_SECRET_NAME, or give it in the file that `secrets` under [run] in aos.toml names, or in the keyring.",
    ),
    "not_confirmed": Code(
        "run",
        "Not confirmed",
        "The plan has steps that can't be undone, and the person asked did not say yes. Nothing was run.",
        "Run it again and say yes, or give --yes.",
        Exit.NO,
        409,
    ),
    "needs_ledger": Code(
        "query",
        "Nothing recorded",
        "The question is about past runs, and there is no record to answer it from.",
        "Run a plan first, or name the ledger with --ledger.",
        Exit.UNDETERMINED,
        404,
    ),
}
