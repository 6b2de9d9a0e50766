"""The proofs as a validation plugin: a broken cell fails the synthesis."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import jsii
from aws_cdk import (
    App,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from secure_ml_constructs.enforcement.links import linked_networks
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Answer, Trust, Verdict
from secure_ml_constructs.verification.proofs.record import write_record
from secure_ml_constructs.verification.report.matrix import counterexample
from secure_ml_constructs.verification.templates import load

NAME = "SecureMlProofs"


def trust_of(*trusted: DataPerimeter) -> Trust:
    """Give whom perimeters trust, as the proofs take it.

    Args:
        trusted: The perimeters of the app's environments; the first names the organization.
    """

    def every(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arn for each in trusted for arn in getattr(each, name)))

    exceptions = (arn for each in trusted for entry in each.exceptions for arn in entry.principals)
    return Trust(
        organization=next((each.organization for each in trusted), None),
        accounts=every("accounts"),
        role_paths=tuple(dict.fromkeys(each.role_path for each in trusted)),
        administrators=every("administrators"),
        deploying_roles=every("deploying_roles") or Trust().deploying_roles,
        break_glass_roles=every("break_glass_roles"),
        erasure_roles=every("erasure_roles"),
        exceptions=tuple(dict.fromkeys(exceptions)),
    )


@jsii.implements(IPolicyValidationPlugin)
class ProofPack:
    """Asks every question about an app's templates; what is answered lies beside them. (R1)

    Args:
        app: The app.
        trust: Who is no adversary, and the organization's guardrails. Default: `trust_of_app`.

    Attributes:
        answers: The answers of the last synthesis.
    """

    def __init__(self, app: App, trust: Trust | None = None) -> None:
        self._app = app
        self._folder = Path(app.outdir)
        self._trust = trust
        self.answers: list[Answer] = []

    @property
    def name(self) -> str:
        """The name in front of every finding's id."""
        return NAME

    @property
    def version(self) -> str:
        """The version of the proofs: the library's."""
        return version("secure-ml-constructs")

    @property
    def rule_ids(self) -> list[str]:
        """The ids: none are fixed, since the questions follow from the templates."""
        return []

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Ask about what was synthesized.

        Args:
            context: What the CDK says of the synthesis; the templates are read from the assembly.
        """
        trust = self._trust or trust_of_app(self._app)
        self.answers = ask(load([self._folder]).templates, trust)
        write_record(self._folder, trust, self.answers)
        broken = [answer for answer in self.answers if answer.verdict is Verdict.BROKEN]
        return PolicyValidationPluginReport(
            success=not broken, violations=[_violation(each) for each in broken]
        )


def trust_of_app(app: App) -> Trust:
    """Give whom the perimeters of an app's constructs trust, and the networks that its constructs name."""
    return replace(trust_of(*_perimeters(app)), networks=linked_networks(app))


def _perimeters(app: App) -> list[DataPerimeter]:
    """The perimeters that the app's constructs were made with."""
    found = (getattr(construct, "perimeter", None) for construct in app.node.find_all())
    return list({id(each): each for each in found if isinstance(each, DataPerimeter)}.values())


def _violation(answer: Answer) -> PolicyViolation:
    resource = answer.resource
    places = (
        []
        if resource is None
        else [
            PolicyViolatingResource(
                resource_logical_id=resource.logical_id, template_path=resource.template.path, locations=[]
            )
        ]
    )
    return PolicyViolation(
        rule_name=f"{answer.adversary}-{answer.deed}".replace(" ", "-"),
        description="\n".join((f"{answer.question}: {answer.because}", *counterexample(answer))),
        fix=f"Close it where control {answer.control} is held; `secure-ml prove` gives the whole request.",
        severity="error",
        rule_metadata={"control": answer.control, "question": answer.question},
        violating_resources=places,
    )
