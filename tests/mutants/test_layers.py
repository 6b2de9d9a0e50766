"""The proofs' part in the run: what they notice, what is one of two layers, and what is neither."""

from __future__ import annotations

import pytest

from tests.mutants.concerned import concerned
from tests.mutants.environments import trust
from tests.mutants.layers import Layers
from tests.mutants.mutant import Mutant, spread
from tests.mutants.questions import Proofs
from tests.mutants.verdict import Verdict, with_proofs
from tests.support.templates import Templates


@pytest.fixture(scope="module")
def foundation(templates: Templates) -> Proofs:
    """The stacks that hold keys, network and data: what is asked of them takes moments."""
    kept = ("keys", "network", "archive", "lake")
    return Proofs({name: body for name, body in templates.items() if name.endswith(kept)}, trust())


@pytest.fixture(scope="module")
def layers(foundation: Proofs) -> Layers:
    return Layers(foundation)


def one(mutants: list[Mutant], resource: str, statement: str, operator: str, place: str = "") -> Mutant:
    found = [
        mutant
        for mutant in mutants
        if mutant.logical_id.startswith(resource)
        and (mutant.statement, mutant.operator) == (statement, operator)
        and place in mutant.place
    ]
    return found[0]


def test_nothing_is_broken_to_begin_with(foundation: Proofs) -> None:
    assert {answer.verdict for answer in foundation.before.values()} <= {
        "proved",
        "by-design",
        "needs-org-guardrail",
    }


@pytest.mark.parametrize(
    ("resource", "statement", "operator", "question"),
    [
        ("LakeDataPolicy", "DenyForeignListing", "deny-dropped", "stolen-credentials/reach-from-outside/"),
        ("LakeDataPolicy", "DenyPlainTransport", "resource-cut", "compromised-job/reach-without-TLS-1.2/"),
        ("ArchiveBucketPolicy", "DenyLegalHold", "deny-dropped", "compromised-job/alter/"),
        ("KeysData", "UseThroughServices", "any-principal", "compromised-job/use-without-permission/"),
        (
            "VpcEndpointsS3",
            "OurPrincipalsOnOurResources",
            "foreign-account",
            "compromised-job/carry-data-out",
        ),
    ],
)
def test_a_proof_notices(
    foundation: Proofs,
    reference_mutants: list[Mutant],
    resource: str,
    statement: str,
    operator: str,
    question: str,
) -> None:
    mutant = one(reference_mutants, resource, statement, operator)
    assert any(answer.question.startswith(question) for answer in foundation.near(mutant))


@pytest.mark.parametrize(
    ("resource", "statement", "operator", "place", "holds"),
    [
        ("LakeDataPolicy", "DenyOtherEncryption", "deny-dropped", "", "denied by DenyOtherKey"),
        ("LakeDataPolicy", "DenyOutsiders", "deny-dropped", "", "no statement lets another account in"),
        ("KeysData", "Configure", "any-principal", "", "Configure still asks for aws:PrincipalArn"),
        ("VpcFlowLogRole", "Service", "key-dropped", "SourceArn", "Service still asks for aws:SourceAccount"),
        ("VpcFlowLogPolicy", "Write", "any-resource", "", "no code is ever given the credentials"),
    ],
)
def test_another_layer_holds(
    foundation: Proofs,
    layers: Layers,
    reference_mutants: list[Mutant],
    resource: str,
    statement: str,
    operator: str,
    place: str,
    holds: str,
) -> None:
    mutant = one(reference_mutants, resource, statement, operator, place)
    assert not foundation.near(mutant)
    layer = layers.of(mutant)
    assert layer is not None
    assert layer.holds.startswith(holds)


@pytest.mark.parametrize(
    ("resource", "statement", "operator", "holds"),
    [
        ("BoundaryPolicy", "DataFromElsewhere", "action-cut dynamodb:*", "the boundary grants nothing of it"),
        ("GuardrailsPolicy", "NoAppNetwork", "deny-dropped", "denied by LeftToDeploying"),
        ("PrivilegedAdministratorPolicy", "Keys", "condition-dropped", "the boundary grants nothing of it"),
        # What is asked of whoever holds the credentials is asked of nobody else.
        ("ClinicalRiskWatchMachineAllowed", "Encrypt", "not-action", "no code is ever given the credentials"),
        ("ClinicalRiskWatchSchedulePolicy", "Start", "any-resource", "no code is ever given the credentials"),
        # A denial of the mutants' stranger alone holds no other.
        ("ImageRepository", "DenyOutsiders", "deny-bound", "no statement lets another account in"),
    ],
)
def test_another_layer_of_a_role_holds(
    proofs: Proofs, reference_mutants: list[Mutant], resource: str, statement: str, operator: str, holds: str
) -> None:
    mutant = one(reference_mutants, resource, statement, operator)
    assert not proofs.first(mutant)
    layer = Layers(proofs).of(mutant)
    assert layer is not None
    assert layer.holds.startswith(holds)


@pytest.mark.parametrize(
    ("resource", "statement", "operator", "question"),
    [
        (
            "GuardrailsPolicy",
            "NoIsolationOnTypes",
            "action-cut sagemaker:CreateModelBiasJobDefinition",
            "compromised-job/run-without-isolation/SageMaker by guardrails",
        ),
        (
            "RolesExecution",
            "Metrics",
            "any-value",
            "compromised-job/forge-others'-metrics/the rest of the account",
        ),
        ("PrivilegedAuditor", "People", "condition-dropped", "outsider/sign-in-"),
        ("VpcEndpointsLogs", "OurPrincipalsOnOurResources", "foreign-account", "compromised-job/carry-data"),
    ],
)
def test_who_is_not_touched_makes_nothing_graver(
    proofs: Proofs,
    reference_mutants: list[Mutant],
    resource: str,
    statement: str,
    operator: str,
    question: str,
) -> None:
    mutant = one(reference_mutants, resource, statement, operator)
    near = {answer.question for answer in proofs.near(mutant)}
    assert any(each.startswith(question) for each in near)
    assert near == {answer.question for answer in proofs.whole(mutant)}
    assert set(proofs.first(mutant)) <= near


def test_what_weakens_nothing_is_no_layer(
    foundation: Proofs, layers: Layers, reference_mutants: list[Mutant]
) -> None:
    mutant = one(reference_mutants, "LakeDataPolicy", "DenyForeignNetworks", "if-exists-dropped", "ViaAWS")
    assert not foundation.near(mutant)
    assert layers.of(mutant) is None


def test_a_layer_is_missed_where_the_other_is_gone(
    foundation: Proofs, reference_mutants: list[Mutant]
) -> None:
    """Both denials of other keys at once: then uploads under another key are let through."""
    first = one(reference_mutants, "LakeDataPolicy", "DenyOtherKey", "deny-dropped")
    second = one(reference_mutants, "LakeDataPolicy", "DenyOtherEncryption", "deny-dropped")
    # The later one first, so that the places of the earlier stay.
    templates = second.apply(first.apply(foundation.templates))
    cells = {answer.question: answer.verdict for answer in foundation.ask(templates)}
    assert cells["insider/store-under-another-key/hospital-ml-lake/LakeData (bucket)"] == "broken"


def test_rules_come_first_and_settings_are_for_rules(
    foundation: Proofs, reference_mutants: list[Mutant]
) -> None:
    noticed = one(reference_mutants, "LakeDataPolicy", "DenyForeignListing", "deny-dropped")
    setting = next(mutant for mutant in reference_mutants if mutant.kind == "setting")
    verdicts = [Verdict(noticed, ("SomeRule",)), Verdict(setting, ()), Verdict(noticed, ())]
    found = list(with_proofs(verdicts, foundation))
    assert [bool(each.cells) for each in found] == [False, False, True]
    assert [each.killed for each in found] == [True, False, True]


def test_only_what_is_spoken_of_is_asked_again(foundation: Proofs, reference_mutants: list[Mutant]) -> None:
    cut = one(reference_mutants, "LakeDataPolicy", "DenyForeignListing", "action-cut s3:ListBucketVersions")
    concerns = concerned(cut, foundation.templates)
    assert concerns("s3:ListBucketVersions")
    assert not concerns("s3:ListBucket")
    dropped = one(reference_mutants, "LakeDataPolicy", "DenyForeignListing", "deny-dropped")
    concerns = concerned(dropped, foundation.templates)
    assert concerns("s3:ListBucket")
    assert not concerns("s3:GetObject")
    of_a_role = one(reference_mutants, "VpcFlowLogPolicy", "Write", "any-resource")
    assert concerned(of_a_role, foundation.templates)("s3:GetObject")


@pytest.mark.deep
def test_all_questions_come_to_the_same(proofs: Proofs, reference_mutants: list[Mutant]) -> None:
    rest = [each for each in reference_mutants if each.kind != "setting"]
    for mutant in spread(rest, 150):
        near = {answer.question for answer in proofs.near(mutant)}
        assert near == {answer.question for answer in proofs.whole(mutant)}, mutant.id
