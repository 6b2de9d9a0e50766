"""`secure-ml decide`: one request, the documents in its way, and the statement that decides."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from secure_ml_constructs.verification.proofs.iam import (
    Decision,
    Document,
    Kind,
    NotCovered,
    Policies,
    Request,
    UnreadableError,
    decide,
    parse,
)
from secure_ml_constructs.verification.templates import TemplateError
from secure_ml_constructs.verification.templates.source import parse as read_text

ALLOWED, DENIED, UNDECIDED = 0, 1, 2
_DOCUMENTS = {
    "identity": (Kind.IDENTITY, "a policy of the user or role"),
    "boundary": (Kind.BOUNDARY, "its permissions boundary"),
    "session": (Kind.SESSION, "a policy given when its session was made"),
    "resource": (Kind.RESOURCE, "the policy of the resource: of a bucket, key, role (its trust), topic …"),
    "endpoint": (Kind.ENDPOINT, "the policy of the VPC endpoint that the request passes"),
    "scp": (Kind.SCP, "an SCP, all of one level of the organization"),
    "rcp": (Kind.RCP, "an RCP"),
}
_REQUEST = {"principal", "action", "resource", "context"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads to a parser."""
    parser.description = run.__doc__
    for name, (_, what) in _DOCUMENTS.items():
        parser.add_argument(f"--{name}", metavar="FILE", action="append", help=f"{what}; may be repeated")
    parser.add_argument(
        "--block-public-access", action="store_true", help="S3 Block Public Access restricts the bucket"
    )
    parser.add_argument(
        "--request",
        metavar="FILE",
        required=True,
        help="the request, {principal, action, resource, context}; principal null is an anonymous caller",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, out: TextIO) -> int:
    """Decide one request. Exit code: 0 allowed, 1 denied, 2 unreadable or not covered."""
    try:
        answer = decide(_policies(options), _request(options.request))
    except (UnreadableError, TemplateError) as error:
        print(f"secure-ml: {error}", file=sys.stderr)
        return UNDECIDED
    write: Callable[[Decision | NotCovered, TextIO], None] = _json if options.format == "json" else _text
    write(answer, out)
    if isinstance(answer, NotCovered):
        return UNDECIDED
    return ALLOWED if answer.allowed else DENIED


def _policies(options: argparse.Namespace) -> Policies:
    found: dict[Kind, tuple[Document, ...] | None] = {}
    for name, (kind, _) in _DOCUMENTS.items():
        paths = getattr(options, name)
        found[kind] = None if paths is None else tuple(parse(_read(path), kind, path) for path in paths)
    resources = found[Kind.RESOURCE]
    resource = None
    if resources:
        # A resource has one policy; several files are read as parts of it.
        statements = tuple(statement for document in resources for statement in document.statements)
        resource = Document(resources[0].name, Kind.RESOURCE, statements)
    scps, rcps = found[Kind.SCP], found[Kind.RCP]
    return Policies(
        identity=found[Kind.IDENTITY] or (),
        boundary=found[Kind.BOUNDARY],
        session=found[Kind.SESSION],
        resource=resource,
        endpoint=found[Kind.ENDPOINT],
        scps=(scps,) if scps else (),
        rcps=(rcps,) if rcps else (),
        block_public_access=options.block_public_access,
    )


def _request(path: str) -> Request:
    given = _read(path)
    if not isinstance(given, Mapping) or not {"action", "resource"} <= set(given) <= _REQUEST:
        raise UnreadableError(f"{path}: a request has principal, action, resource and context, nothing else")
    principal, context = given.get("principal"), given.get("context") or {}
    strings = isinstance(given["action"], str) and isinstance(given["resource"], str)
    if not strings or ":" not in given["action"] or not isinstance(context, Mapping):
        raise UnreadableError(f"{path}: action is service:Name, resource a text, context an object")
    if not (principal is None or isinstance(principal, str) or _typed(principal)):
        raise UnreadableError(f"{path}: principal is an ARN, a service, {{type: name}}, or null")
    if any(isinstance(value, Mapping) for value in context.values()):
        raise UnreadableError(f"{path}: a value of the context is a text or a list of texts")
    return Request.of(principal, given["action"], given["resource"], context)


def _typed(principal: Any) -> bool:
    return (
        isinstance(principal, Mapping)
        and len(principal) == 1
        and all(key in ("AWS", "Service", "Federated") and isinstance(v, str) for key, v in principal.items())
    )


def _read(path: str) -> Any:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(f"{path}: this is no UTF-8 text") from None
    except OSError as error:
        raise UnreadableError(f"{path}: it can't be read: {error.strerror}") from None
    return read_text(text, path)[0]


def _text(answer: Decision | NotCovered, out: TextIO) -> None:
    if isinstance(answer, NotCovered):
        out.write(f"not covered: {answer.reason}\n")
    else:
        out.write(f"{'allowed' if answer.allowed else 'denied'}: {answer.because}\n")


def _json(answer: Decision | NotCovered, out: TextIO) -> None:
    if isinstance(answer, NotCovered):
        made: dict[str, Any] = {"decision": "not-covered", "because": answer.reason}
    else:
        made = {
            "decision": "allowed" if answer.allowed else "denied",
            "because": answer.because,
            "document": answer.document,
            "statement": answer.statement,
        }
    json.dump(made, out, indent=2)
    out.write("\n")
