"""The table of forms against the CDK's, which is made of the schemas of CloudFormation."""

from __future__ import annotations

import importlib
import inspect

import pytest

from secure_ml_constructs.verification.proofs.estate.forms import FORMS

# What a schema calls its primary identifier, `Ref` gives; these are called other than what they are.
NAMED_OTHERWISE = {
    "AWS::SecretsManager::Secret": "arn",
    "AWS::SQS::Queue": "url",
    # "Return values" of AWS::Events::Rule: Ref gives the name, though the ARN identifies it.
    "AWS::Events::Rule": "name",
}


@pytest.mark.parametrize("type_", sorted(FORMS))
def test_ref(type_: str) -> None:
    _, service, name = type_.split("::")
    module = importlib.import_module(f"aws_cdk.interfaces.aws_{service.lower()}")
    fields = list(inspect.signature(getattr(module, f"{name}Reference")).parameters)
    # The CDK gives the ARN beside an identifier that is another thing.
    identifiers = [field for field in fields if not field.endswith("_arn")] or fields
    ref = "url" if FORMS[type_].ref.startswith("https://") else FORMS[type_].ref
    assert ref == NAMED_OTHERWISE.get(type_, identifiers[-1].rpartition("_")[2])
