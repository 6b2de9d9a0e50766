"""What can be read is read; what can't says which file, which line and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_constructs.verification.templates import TemplateError, Templates, load
from secure_ml_constructs.verification.templates.source import parse

BUCKET = {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {}}}}

SHORT_FORMS = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Env: {Type: String, Default: yes}
Mappings:
  ByAccount:
    111122223333: {Key: x}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties: &shared
      EnableKeyRotation: true
      KeyPolicy: {Version: 2012-10-17}
  Other:
    Type: AWS::KMS::Key
    Condition: Prod
    Properties:
      <<: *shared
      Description: !Sub "${Env}-key"
      Att: !GetAtt Key.Arn
      List: !GetAtt [Key, Arn]
      Cond: !If [Prod, !Ref Key, !Ref "AWS::NoValue"]
      Joined: !Join [",", [a, !Ref Env]]
      Day: 2012-10-17
      Number: 010
Conditions:
  Prod: !Equals [!Ref Env, prod]
  Also: !And [!Condition Prod]
"""


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path


def test_json_and_yaml_give_the_same(tmp_path: Path) -> None:
    yaml = parse(SHORT_FORMS, "t.yaml")[0]
    other = yaml["Resources"]["Other"]["Properties"]
    assert other["EnableKeyRotation"] is True
    assert other["KeyPolicy"] == {"Version": "2012-10-17"}
    assert other["Day"] == "2012-10-17"
    assert other["Description"] == {"Fn::Sub": "${Env}-key"}
    assert other["Att"] == other["List"] == {"Fn::GetAtt": ["Key", "Arn"]}
    assert other["Cond"] == {"Fn::If": ["Prod", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]}
    assert other["Joined"] == {"Fn::Join": [",", ["a", {"Ref": "Env"}]]}
    assert yaml["Mappings"]["ByAccount"] == {"111122223333": {"Key": "x"}}
    assert yaml["Conditions"]["Also"] == {"Fn::And": [{"Condition": "Prod"}]}
    again = parse(json.dumps(yaml), "t.json")[0]
    assert again == yaml


def test_lines() -> None:
    body, source = parse(SHORT_FORMS, "t.yaml")
    assert source.line(("Resources", "Other", "Properties", "Description")) == 18
    assert source.line(("Resources", "Other", "Properties", "Missing")) == 16
    assert source.line(("Nothing",)) is None
    text = json.dumps(
        {"Resources": {"A": {"Type": "x", "Properties": {"L": [1, {"Deep": "{,}"}]}}, "B": {}}}, indent=1
    )
    lines = text.splitlines()
    source = parse(text, "t.json")[1]
    assert '"B"' in lines[(source.line(("Resources", "B")) or 0) - 1]
    assert '"Deep"' in lines[(source.line(("Resources", "A", "Properties", "L", 1, "Deep")) or 0) - 1]
    assert '"Type"' in lines[(source.line(("Resources", "A", "Type")) or 0) - 1]
    assert body


def test_lines_of_empty_containers() -> None:
    text = '{"Resources": {"A": {},\n"E": [],\n"F": [[], {}],\n"B": {"X": 1}}}'
    source = parse(text, "t.json")[1]
    assert [source.line(("Resources", name)) for name in "AEFB"] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.json", "", None, "empty"),
        ("a.yaml", "  \n", None, "empty"),
        ("a.yaml", "# only a comment\n", None, "empty"),
        ("a.json", '{"Resources": {\n"A": {', 2, "no JSON"),
        ("a.json", '{"Resources": {"A": {}, "A": {}}}', 1, "twice"),
        ("a.json", "[" * 100_000, None, "deeply"),
        ("a.json", '{"Resources": {"A": NaN}}', None, "no JSON value"),
        ("a.json", "[1, 2]", None, "no Resources"),
        ("a.json", "{}", None, "no Resources"),
        ("a.json", '{"Resources": []}', None, "no Resources"),
        ("a.json", '{"Resources": {\n"A": 1}}', 2, "no mapping"),
        ("a.json", '{"Resources": {\n"A": {}}}', 2, "no Type"),
        ("a.json", '{"Resources": {\n"A": {"Type": 1}}}', 2, "no Type"),
        ("a.json", '{"Resources": {\n"A": {"Type": "X", "Properties": []}}}', 2, "no mapping"),
        ("a.json", '{"Resources": {\n"A": {"Type": "X", "Condition": {}}}}', 2, "no name"),
        ("a.yaml", "Resources:\n  A: [1\n", 3, "no YAML"),
        ("a.yaml", "Resources:\n  A: &a\n    B: *a\n", 2, "itself"),
        ("a.yaml", "Resources:\n  ? [1, 2]\n  : x\n", 2, "must be text"),
        ("a.yaml", "Resources:\n  A: 1\n  A: 2\n", 3, "twice"),
        ("a.yaml", "a: 1\n---\nb: 2\n", 2, "no YAML"),
        ("a.yaml", "Resources:\n  A: *nowhere\n", 2, "no YAML"),
        ("a.yaml", "Resources:\n  A: {<<: 7}\n", 2, "merged"),
        ("a.yaml", "just text", None, "no Resources"),
        ("a.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
        ), 6, "more than a template"),
    ],
)  # fmt: skip
def test_broken_input(tmp_path: Path, name: str, content: str, line: int | None, reason: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(TemplateError) as caught:
        load([path])
    assert caught.value.path == str(path)
    assert reason in caught.value.reason
    assert caught.value.line == line


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"Resources": "\xff"}')
    with pytest.raises(TemplateError, match="UTF-8"):
        load([path])


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(BUCKET).encode())
    assert len(load([path]).templates) == 1


def test_a_path_with_nothing(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no such file"):
        load([tmp_path / "missing.json"])
    with pytest.raises(TemplateError, match="no template"):
        load([tmp_path])


def test_json_in_yaml_style(tmp_path: Path) -> None:
    path = write(tmp_path, "a.template", "{Resources: {B: {Type: 'AWS::S3::Bucket'}}}")
    assert len(load([path]).templates) == 1


def test_a_large_template(tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x" * 9_000}}
    path = write(tmp_path, "a.json", {"Resources": {f"B{i}": bucket for i in range(600)}})
    assert path.stat().st_size > 5_000_000
    assert len(load([path]).templates) == 600


def test_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "one.json", BUCKET)
    write(tmp_path, "deep/two.yaml", SHORT_FORMS)
    write(tmp_path, "package.json", {"name": "x"})
    write(tmp_path, "node_modules/x.json", BUCKET)
    write(tmp_path, ".hidden/x.json", BUCKET)
    write(tmp_path, "notes.txt", "Resources: AWS::")
    loaded = load([tmp_path])
    assert sorted(t.path for t in loaded.templates) == [
        str(tmp_path / "deep/two.yaml"),
        str(tmp_path / "one.json"),
    ]
    assert [Path(error.path).name for error in loaded.skipped] == ["package.json"]


def test_a_broken_template_in_a_folder_is_not_skipped(tmp_path: Path) -> None:
    write(tmp_path, "one.json", BUCKET)
    write(tmp_path, "two.json", json.dumps(BUCKET)[:-5])
    with pytest.raises(TemplateError, match="no JSON"):
        load([tmp_path])


def assembly(folder: Path) -> None:
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "main.nested.template.json"},
    }
    write(folder, "main.template.json", {"Resources": {"N": nested, "B": {"Type": "AWS::S3::Bucket"}}})
    write(folder, "main.nested.template.json", {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    write(folder, "main.assets.json", {"files": {}})
    write(folder, "assembly-prod/stack.template.json", {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "stack.template.json"}}
    write(folder, "assembly-prod/manifest.json", {"artifacts": {"Stack": stack}})
    main = {"templateFile": "main.template.json", "stackName": "the-stack"}
    write(folder, "manifest.json", {"artifacts": {
        "Main": {"type": "aws:cloudformation:stack", "properties": main},
        "assembly-prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-prod"}},
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    }})  # fmt: skip


@pytest.mark.parametrize("above", [False, True])
def test_what_the_cdk_wrote(tmp_path: Path, above: bool) -> None:
    assembly(tmp_path / "cdk.out")
    loaded = load([tmp_path if above else tmp_path / "cdk.out"])
    types = {resource.type: resource for t in loaded.templates for resource in t.resources.values()}
    assert set(types) == {
        "AWS::S3::Bucket",
        "AWS::CloudFormation::Stack",
        "AWS::SQS::Queue",
        "AWS::SNS::Topic",
    }
    assert types["AWS::S3::Bucket"].template.name == "the-stack"
    assert types["AWS::SQS::Queue"].template.parent is types["AWS::CloudFormation::Stack"]
    assert types["AWS::SQS::Queue"].template.path == str(tmp_path / "cdk.out/main.nested.template.json")
    assert loaded.assemblies == [tmp_path / "cdk.out", tmp_path / "cdk.out/assembly-prod"]


def test_a_broken_manifest(tmp_path: Path) -> None:
    write(tmp_path, "manifest.json", '{"artifacts": ')
    with pytest.raises(TemplateError, match="no manifest"):
        load([tmp_path])


def stack(url: str, name: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url, "Parameters": {"Name": name}},
    }


def test_one_template_nested_twice(tmp_path: Path) -> None:
    write(tmp_path, "child.yaml", "Parameters: {Name: {Type: String}}\n"
          "Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref Name}}}")  # fmt: skip
    main = {"Resources": {"A": stack("child.yaml", "a"), "B": stack("child.yaml", "b")}}
    templates = load([write(tmp_path, "main.json", main)]).templates
    assert {templates.get(r, "BucketName") for r in templates.resources("AWS::S3::Bucket")} == {"a", "b"}


NAMED = {"Name": {"Type": "String"}}


def test_what_is_nested_twice_nests_others(tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}
    middle = {"Parameters": NAMED, "Resources": {"N": stack("leaf.json", {"Fn::Sub": "${Name}-leaf"})}}
    main = {"Resources": {"A": stack("middle.json", "a"), "B": stack("middle.json", "b")}}
    write(tmp_path, "leaf.json", {"Parameters": NAMED, "Resources": {"Bucket": bucket}})
    write(tmp_path, "middle.json", middle)
    write(tmp_path, "main.json", main)
    templates = load([tmp_path]).templates
    found = [templates.get(r, "BucketName") for r in templates.resources("AWS::S3::Bucket")]
    assert found == ["a-leaf", "b-leaf"]
    assert len(list(templates)) == 5
    given = {
        "main": main,
        "middle.json": middle,
        "leaf.json": json.loads((tmp_path / "leaf.json").read_text()),
    }
    templates = Templates.of(given)
    assert [templates.get(r, "BucketName") for r in templates.resources("AWS::S3::Bucket")] == found


def test_templates_that_nest_one_another_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path, "a.json", {"Resources": {"N": stack("b.json", "x")}})
    write(tmp_path, "b.json", {"Resources": {"N": stack("a.json", "x"), "Self": stack("b.json", "x")}})
    a, b = load([tmp_path]).templates
    assert a.parent is None
    assert b.parent is a.resources["N"]


def test_more_stacks_than_an_account_can_have(tmp_path: Path) -> None:
    for level in range(12):
        inner = stack(f"{level + 1}.json", "x")
        write(tmp_path, f"{level}.json", {"Resources": {"A": inner, "B": inner}})
    write(tmp_path, "12.json", {"Resources": {}})
    with pytest.raises(TemplateError, match="more than 2000"):
        load([tmp_path])
