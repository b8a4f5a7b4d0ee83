"""CloudFormation's language, as far as templates here speak it."""

from pathlib import Path
from typing import Any

import pytest

from local.gateway.intrinsics import Evaluator, TemplateError, read

DOCUMENT = """
Parameters:
  Stage: {Type: String, Default: dev}
  Rounds: {Type: Number, Default: 10}
  Needed: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsNot: !Not [!Equals [!Ref Stage, prod]]
Resources:
  Store: {Type: "AWS::DynamoDB::Table"}
  Function: {Type: "AWS::Serverless::Function"}
  Api: {Type: "AWS::Serverless::Api", Properties: {StageName: !Ref Stage}}
Values:
  ref: !Ref Stage
  number: !Ref Rounds
  resource: !Ref Store
  region: !Ref AWS::Region
  missing: !Ref Nothing
  needed: !Ref Needed
  sub: !Sub "${Stage}-${AWS::AccountId}-${Store.Arn}"
  sub_with_own: !Sub ["${Stage}-${Own}", {Own: !Ref Rounds}]
  join: !Join ["-", [!Ref Stage, !Ref Rounds]]
  stack_uuid: !Join ["", !Split ["-", !Select [2, !Split ["/", !Ref AWS::StackId]]]]
  stage_of_api: !Ref Api.Stage
  stage_of_nothing: !Ref Nothing.Stage
  select: !Select [1, !Split [",", !Sub "${Stage},b,"]]
  if: !If [IsProd, yes-it-is, !Ref Stage]
  not: !If [IsNot, 1, 2]
  unknown_condition: !If [Nothing, 1, 2]
  function_arn: !GetAtt Function.Arn
  table_arn: !GetAtt Store.Arn
  stream_arn: !GetAtt Store.StreamArn
  no_arn: !GetAtt Nothing.Arn
  left_out: {kept: 1, gone: !Ref AWS::NoValue, list: [1, !Ref AWS::NoValue]}
  import: !ImportValue elsewhere
"""


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "template.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return read(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ref", "dev"),
        ("number", "10"),
        ("resource", "Store"),
        ("region", "eu-west-1"),
        ("sub", "dev-123456789012-arn:aws:dynamodb:eu-west-1:123456789012:Store"),
        ("sub_with_own", "dev-10"),
        ("select", "b"),
        ("join", "dev-10"),
        ("stack_uuid", "0" * 32),
        ("stage_of_api", "dev"),
        ("if", "dev"),
        ("not", 1),
        ("function_arn", "arn:aws:lambda:eu-west-1:123456789012:function:Function"),
        ("table_arn", "arn:aws:dynamodb:eu-west-1:123456789012:Store"),
        ("stream_arn", "Store.StreamArn"),
        ("left_out", {"kept": 1, "list": [1]}),
    ],
)
def test_an_intrinsic_comes_to_its_value(document: dict[str, Any], name: str, value: Any) -> None:
    assert Evaluator(document, {}, "eu-west-1").value(document["Values"][name]) == value


def test_a_given_parameter_goes_before_its_default(document: dict[str, Any]) -> None:
    evaluator = Evaluator(document, {"Stage": "prod", "Needed": "here"}, "eu-west-1")
    assert evaluator.value(document["Values"]["if"]) == "yes-it-is"
    assert evaluator.value(document["Values"]["needed"]) == "here"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing", "Ref: there is no Nothing"),
        ("stage_of_nothing", "Ref: there is no Nothing"),
        ("needed", "The parameter Needed has no default"),
        ("unknown_condition", "There is no condition Nothing"),
        ("no_arn", "GetAtt: there is no Nothing"),
        ("import", "Fn::ImportValue is not a function"),
    ],
)
def test_what_cannot_be_worked_out_is_told_by_name(document: dict[str, Any], name: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        Evaluator(document, {}, "eu-west-1").value(document["Values"][name])


@pytest.mark.parametrize("text", [None, "a: [", "a: *nobody"])
def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=r"broken\.yaml cannot be read"):
        read(tmp_path / "broken.yaml")


def test_a_file_that_holds_no_mapping_is_no_template(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1", encoding="utf-8")
    with pytest.raises(TemplateError, match="no CloudFormation template"):
        read(tmp_path / "list.yaml")
