"""Proves once what is the same question under another name: actions that no statement tells apart."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from secure_ml_constructs.verification.proofs.iam.documents import Document
from secure_ml_constructs.verification.proofs.iam.matching import actions_covered
from secure_ml_constructs.verification.proofs.iam.patterns import ANY
from secure_ml_constructs.verification.proofs.iam.prove import Answer, Proved, Question
from secure_ml_constructs.verification.proofs.iam.ternary import Ternary


class ProvedOnce:
    """Answers questions, and from memory where another action of the service was proved by the same.

    Beyond the statements that match it, an action counts for the evaluation by its service alone, save for
    calls of APIs and those of STS, which have rules of their own; and a resource by the account that it is
    in, where those statements are about every resource.

    Args:
        prove: What answers a question.
    """

    def __init__(self, prove: Callable[[Question], Answer]) -> None:
        self._prove = prove
        # The documents are kept with the answer, since they are known by their identity.
        self._proved: dict[Hashable, tuple[Proved, tuple[Document, ...]]] = {}

    def __call__(self, question: Question) -> Answer:
        """Answer a question."""
        service = question.action.partition(":")[0].lower()
        if service in ("execute-api", "sts"):
            return self._prove(question)
        documents = tuple(question.policies.in_order())
        matching = tuple(actions_covered(document, question.action) for document in documents)
        policies = question.policies
        key = (
            service,
            question.principal,
            _told_apart(question.resource, documents, matching),
            frozenset(question.context.items()),
            tuple((document.kind, id(document)) for document in documents),
            # Given and empty is not the same as not given, and a level counts by itself.
            (policies.boundary is None, policies.session is None, policies.endpoint is None),
            (tuple(map(len, policies.scps)), tuple(map(len, policies.rcps))),
            policies.block_public_access,
            matching,
        )
        if key in self._proved:
            return self._proved[key][0]
        answer = self._prove(question)
        if isinstance(answer, Proved):
            self._proved[key] = (answer, documents)
        return answer


def _told_apart(
    resource: str, documents: Sequence[Document], matching: Sequence[tuple[Ternary, ...]]
) -> str | tuple[str, ...]:
    """A resource, or what comes before its own name where no statement tells it from others there."""
    for document, covered in zip(documents, matching, strict=True):
        for statement, covers in zip(document.statements, covered, strict=True):
            if covers is not False and statement.resources not in (None, (ANY,)):
                return resource
    return tuple(resource.split(":", 5)[:5])
