"""The helpers for other people's test suites."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from constructs import RootConstruct

from secure_ml_constructs.enforcement import acknowledge
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.testing import answers, assert_proved, assert_refused, assert_secure, findings
from secure_ml_constructs.verification.rules import Settings, Severity
from tests.support.templates import ROOT, new_app
from tests.unit.verification.proofs.questions.clinic import TRUST, Clinic

pytestmark = pytest.mark.slow

BARE = {"Main": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}}


def test_a_safe_stack_passes_in_one_line() -> None:
    stack = cdk.Stack(new_app(), "Keys")
    EnvironmentKeys(stack, "Keys", perimeter=DataPerimeter())
    assert_secure(stack)


def test_an_unsafe_stack_fails_with_every_finding_and_its_construct() -> None:
    stack = cdk.Stack(new_app(), "Main")
    s3.Bucket(stack, "Bucket")
    with pytest.raises(AssertionError, match=r"fatal S3BucketPublicAccessBlocked at Main/Bucket/Resource"):
        assert_secure(stack)
    assert_refused(stack, "S3BucketPublicAccessBlocked", "S3BucketCustomerKey")


def test_asking_twice_counts_nothing_twice() -> None:
    stack = cdk.Stack(new_app(), "Main")
    s3.Bucket(stack, "Bucket")
    assert findings(stack) == findings(stack)


def test_what_is_acknowledged_is_not_found() -> None:
    stack = cdk.Stack(new_app(), "Main")
    bucket = s3.Bucket(stack, "Bucket")
    before = {each.rule for each in findings(stack)}
    acknowledge(
        bucket, "SecureMl::S3BucketAccessLogged", "A test's bucket, which nobody ever reads or writes."
    )
    assert before - {each.rule for each in findings(stack)} == {"S3BucketAccessLogged"}


def test_files_folders_and_data_are_judged_alike(tmp_path: Path) -> None:
    file = tmp_path / "Main.template.json"
    file.write_text(json.dumps(BARE["Main"]))
    rules = [each.rule for each in findings(BARE)]
    assert rules
    assert [each.rule for each in findings(file)] == rules
    assert [each.rule for each in findings(tmp_path)] == rules


def test_severity_and_settings_narrow_what_counts() -> None:
    assert {each.severity for each in findings(BARE, severity="fatal")} == {Severity.FATAL}
    off = Settings(off=frozenset(each.rule for each in findings(BARE)))
    assert_secure(BARE, settings=off)


def test_a_rule_that_stays_silent_is_named() -> None:
    with pytest.raises(AssertionError, match="KmsKeyRotation found nothing"):
        assert_refused(BARE, "KmsKeyRotation")


def test_what_stands_in_no_app_is_told() -> None:
    with pytest.raises(TypeError, match="no App"):
        findings(RootConstruct())


def test_templates_are_judged_without_the_cdk() -> None:
    program = (
        "import sys; from secure_ml_constructs.testing import findings\n"
        f"assert findings({BARE!r})\n"
        "assert not {'aws_cdk', 'jsii', 'constructs'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


# -- proofs -------------------------------------------------------------------------------------------


def test_a_stack_of_ours_is_proved_in_one_line() -> None:
    administrator = "arn:aws:iam::111122223333:role/administrator"
    stack = cdk.Stack(new_app(), "Keys")
    EnvironmentKeys(stack, "Keys", perimeter=DataPerimeter(administrators=(administrator,)))
    assert_proved(stack)
    assert_proved(stack, "*/destroy/Keys/*", by_design=False)


def test_what_is_not_proved_fails_with_the_request() -> None:
    stack = cdk.Stack(new_app(), "Main")
    s3.Bucket(stack, "Bucket", versioned=True)
    with pytest.raises(
        AssertionError, match=r"broken insider/delete/Main/Bucket[\s\S]*s3:DeleteObjectVersion"
    ):
        assert_proved(stack, "insider/delete/*")
    assert_proved(stack, "outsider/read/*")


def test_a_question_that_there_is_not_is_a_failure() -> None:
    with pytest.raises(AssertionError, match=r"no question is called insidr/\*"):
        assert_proved(BARE, "insider/*", "insidr/*")


def test_trust_is_the_users_to_say() -> None:
    clinic = Clinic().body
    named = {answer.question: answer.verdict for answer in answers({"clinic": clinic}, trust=TRUST)}
    assert named["insider/delete/clinic/Data/raw"] == "proved"
    (unnamed,) = answers({"clinic": clinic}, "insider/delete/clinic/Data/raw")
    assert unnamed.verdict == "broken"


def test_the_rules_alone_load_no_prover() -> None:
    code = (
        "import sys; from secure_ml_constructs.testing import assert_secure;"
        "assert_secure({'M': {'Resources': {}}});"
        "print([m for m in ('z3', 'networkx', 'aws_cdk') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
