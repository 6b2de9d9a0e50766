"""Frameworks are quoted from named sources, never guessed."""

from secure_ml_constructs.controls.frameworks import mapped, references

SOURCES = {"Prowler 5.46", "cdk-nag 3.0.2", "AWS Security Hub", "Guard Rules Registry"}
FRAMEWORKS = {
    "AI Security Best Practices v1.0.0",
    "AWS FSBP",
    "CIS AWS 7.0",
    "CIS Controls v8",
    "GDPR",
    "HIPAA",
    "ISO 27001:2022",
    "NIST 800-53 r5",
    "PCI DSS 3.2.1",
    "PCI DSS 4.0",
    "PCI DSS 4.0.1",
    "SOC 2",
}


def test_each_entry_names_its_source() -> None:
    found = [reference for setting in mapped() for reference in setting.references]
    assert {reference.source for reference in found} <= SOURCES
    assert {reference.framework for reference in found} <= FRAMEWORKS
    assert all(reference.ids for reference in found)


def test_what_is_said_of_a_setting() -> None:
    found = references(["AWS::SageMaker::NotebookInstance"], ["SubnetId"], ())
    assert {reference.framework for reference in found} >= {"ISO 27001:2022", "AWS FSBP", "NIST 800-53 r5"}
    (fsbp,) = [reference for reference in found if reference.framework == "AWS FSBP"]
    assert fsbp.ids == ("SageMaker.2",)


def test_by_the_number_of_a_standard() -> None:
    found = references(["AWS::S3::Bucket"], (), ["S3.5"])
    assert {"HIPAA", "NIST 800-53 r5", "PCI DSS 3.2.1"} <= {reference.framework for reference in found}


def test_nothing_is_said_of_what_nobody_maps() -> None:
    assert references(["AWS::SageMaker::Space"], ["SpaceSettings.RemoteAccess"], ()) == ()
