"""Whether text holds a secret, and whether a script is safe."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.predicates import known_later, misspelt
from secure_ml_constructs.verification.templates import (
    Absent,
    Dynamic,
    Encoded,
    Misspelt,
    Text,
    Unresolved,
    show,
)

# Forms that are a secret wherever they stand: published by those who issue them.
_FORMS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access key id
    r"|\bABSK[A-Za-z0-9+/=]{40,}"  # Bedrock API key
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}\b"
    r"|\bglpat-[\w-]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bhf_[A-Za-z0-9]{30,}\b"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"
    r"|://[^/\s:@$]+:[^/\s:@$]+@"
)
_NAMES = re.compile(
    r"(?i)(passw(?:or)?d|passwd|secret|token|api_?key|apikey|access_?key|private_?key|credential)"
)
# Names that speak of a secret and hold none: where it is, how long it lives, how many there are.
_HARMLESS = re.compile(
    r"(?i)(arn|_id|name|path|url|uri|endpoint|file|ttl|timeout|length|limit|count|max|min|region|type|version"
    r"|header|enabled|expir\w*|tokens|tokenizer\w*|alias|bucket|role|provider|policy)$"
)
_ASSIGNED = re.compile(
    r"(?im)^\s*(?:export\s+)?([A-Za-z_]\w*(?:passw(?:or)?d|secret|token|api_?key|access_?key)\w*)"
    r"\s*=\s*[\"']?([^\s\"'$`(]{6,})"
)
_FETCHED = re.compile(r"(?i)\b(?:curl|wget)\b[^\n|;]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b")
_TUNNEL = re.compile(
    r"/dev/tcp/|\bssh\s+[^\n]*-R\b|\bngrok\b|\bcloudflared\b|\b(?:nc|ncat)\s+[^\n]*-e\b|\bmkfifo\b"
)


def secret_in(name: str, value: Any) -> str | None:
    """What in a named value is a secret, in words; None where nothing is."""
    if not isinstance(value, str | Text):
        return None
    text = show(value)
    if _FORMS.search(text):
        return "holds a credential in plain text"
    if (
        _NAMES.search(name)
        and not _HARMLESS.search(name)
        and isinstance(value, str)
        and len(text) >= 4
        and not text.startswith(("arn:", "s3://", "/", "http"))
        and text.lower() not in ("true", "false", "none", "null")
        and not text.isdigit()
    ):
        return "looks like a secret in plain text"
    return None


@dataclass(frozen=True)
class NoSecrets:
    """No entry of a mapping of environment variables or parameters is a secret."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Read names and values."""
        if isinstance(value, Misspelt):
            return misspelt(value)
        if isinstance(value, Absent) or not isinstance(value, dict):
            return known_later(value) if isinstance(value, Unresolved) else None
        for name, item in value.items():
            found = secret_in(name, context.graph.resolve(context.resource.template, item))
            if found:
                return Fail(found, name)
        return None


@dataclass(frozen=True)
class NoSecret:
    """A single text is no secret in plain text.

    Attributes:
        always: Whether every literal is one: a password has no other use.
    """

    always: bool = False

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Read the text."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        if isinstance(value, Unresolved):
            return known_later(value) if self.always else None
        if isinstance(value, Dynamic):
            return (
                None
                if value.secret or not self.always
                else Fail("is read from plain text in Systems Manager")
            )
        if self.always and isinstance(value, str):
            return Fail("is a secret in plain text")
        found = secret_in("", value)
        return Fail(found) if found else None


@dataclass(frozen=True)
class SafeScript:
    """A script in base64 that holds no secret, runs nothing straight from the network and opens no tunnel."""

    def check(self, value: Any, context: Context) -> Outcome | None:
        """Decode and read the script."""
        if isinstance(value, Absent):
            return misspelt(value) if isinstance(value, Misspelt) else None
        if isinstance(value, Unresolved):
            return known_later(value)
        script = show(value)
        if isinstance(value, str):
            try:
                script = base64.b64decode(value, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                return Fail("is no base64")
        elif not isinstance(value, Encoded):
            return known_later(value)
        for problem in script_problems(script):
            return Fail(problem)
        return None


def script_problems(script: str) -> Iterator[str]:
    """What is wrong with a shell script, in words."""
    if _FORMS.search(script) or _ASSIGNED.search(script):
        yield "holds a credential in plain text"
    if _FETCHED.search(script):
        yield "runs what it fetches from the network"
    if _TUNNEL.search(script):
        yield "opens a tunnel out of the workspace"
