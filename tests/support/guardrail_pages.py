"""The page that says how each action of SageMaker is held."""

from __future__ import annotations

from collections import Counter

from secure_ml_constructs.identity.guardrails.held import ACTIONS, FREE_KEYS, KEYS, Held, Setting, Who

_HEAD = "| action | its request has to say | held where it is said | left to | why |\n|---|---|---|---|---|"


def action_table() -> str:
    """Every action that creates or changes something, how it is held and why."""
    left = Counter(held.who for held in ACTIONS.values())
    lines = [
        "# How each action of SageMaker is held\n",
        "Every action that creates or changes something, from AWS's service authorization reference,",
        "and what `SageMakerGuardrails` asks of its request. A Deny stands only where that must carry the",
        "key; what no key can hold is left to some roles or to nobody. Made from",
        "`identity/guardrails/held.py`; a test compares it with the reference.\n",
        f"{len(ACTIONS)} actions: {sum(bool(held.settings) for held in ACTIONS.values())} held by what the "
        f"request says, {left[Who.PIPELINES]} left to pipeline roles, {left[Who.DEPLOYING]} to deploying "
        f"roles, {left[Who.NOBODY]} to nobody.\n",
        "¹ save on instance types with disks of their own, which take no key. "
        "² where it names instance types, so that it holds a job definition of its own.\n",
        "## Held by what the request says\n",
        _HEAD,
        *(_row(name, held) for name, held in ACTIONS.items() if held.settings),
        "\n## Left to some, or to nobody\n",
        "| action | left to | why |\n|---|---|---|",
        *(
            f"| `{name}` | {held.who} | {held.why} |"
            for name, held in ACTIONS.items()
            if not held.settings and held.who is not Who.ANYONE
        ),
        "\n## Free\n",
        "| action | why |\n|---|---|",
        *(
            f"| `{name}` | {held.why} |"
            for name, held in ACTIONS.items()
            if not held.settings and held.who is Who.ANYONE
        ),
        "\n## What each is held by\n",
        "| what | condition keys |\n|---|---|",
        *(
            f"| {setting} | {', '.join(f'`sagemaker:{key}`' for key in KEYS[setting])} |"
            for setting in Setting
        ),
        "\n## Keys that nothing stands on\n",
        "| condition key | why |\n|---|---|",
        *(f"| `sagemaker:{key}` | {why} |" for key, why in FREE_KEYS.items()),
        "",
    ]
    return "\n".join(lines)


def _row(name: str, held: Held) -> str:
    must = [*held.must, *(f"{each}¹" for each in held.unless_local), *(f"{each}²" for each in held.inline)]
    who = "" if held.who is Who.ANYONE else held.who
    return f"| `{name}` | {', '.join(must)} | {', '.join(held.given)} | {who} | {held.why} |"
