"""CloudFormation's language as far as the template speaks it: short tags, and what intrinsic functions come to."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from yaml import CSafeLoader, MappingNode, Node, ScalarNode, SequenceNode, YAMLError

ACCOUNT_ID = "123456789012"
STACK_NAME = "gatehouse-local"
STACK_UUID = "00000000-0000-0000-0000-000000000000"

_NO_VALUE = object()
_SUBSTITUTE = re.compile(r"\$\{([^}]+)\}")


class TemplateError(Exception):
    """The template holds something that is wrong, or that the local gateway does not stand in for."""


class _Loader(CSafeLoader):
    """YAML with CloudFormation's short tags, each turned into its long form."""


def _long_form(loader: _Loader, suffix: str, node: Node) -> dict[str, Any]:
    value: Any
    match node:
        case ScalarNode():
            value = loader.construct_scalar(node)
        case SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def read(path: Path) -> dict[str, Any]:
    """The template's document, short tags in their long form; raises TemplateError where there is none."""
    try:
        document = _Loader(path.read_bytes()).get_single_data()
    except (OSError, YAMLError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError(f"{path} is no CloudFormation template.")
    return document


class Evaluator:
    """Works out values of one document for one set of parameters; a resource's id is its name in the template."""

    def __init__(self, document: Mapping[str, Any], overrides: Mapping[str, str], region: str) -> None:
        self._document = document
        self._region = region
        self._parameters = {
            name: overrides.get(name, parameter.get("Default"))
            for name, parameter in document.get("Parameters", {}).items()
        }
        self._pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": STACK_NAME,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:stack/{STACK_NAME}/{STACK_UUID}",
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Equals": lambda arguments: self.value(arguments[0]) == self.value(arguments[1]),
            "Fn::GetAtt": self._attribute,
            "Fn::If": lambda arguments: self.value(arguments[1 if self.condition(arguments[0]) else 2]),
            "Fn::Join": lambda arguments: arguments[0].join(map(str, self.value(arguments[1]))),
            "Fn::Not": lambda arguments: not self.condition(arguments[0]),
            "Fn::Select": lambda arguments: self.value(arguments[1])[int(arguments[0])],
            "Fn::Split": lambda arguments: self.value(arguments[1]).split(arguments[0]),
            "Fn::Sub": self._substitute,
        }

    def value(self, node: Any) -> Any:
        """What a part of the document comes to; entries and elements that are AWS::NoValue are left out."""
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, arguments),) = node.items()
            if name in self._functions:
                return self._functions[name](arguments)
            if str(name).startswith("Fn::"):
                raise TemplateError(f"{name} is not a function that the local gateway knows.")
        values = ((key, self.value(value)) for key, value in node.items())
        return {key: value for key, value in values if value is not _NO_VALUE}

    def condition(self, node: Any) -> bool:
        """Whether a condition holds, given by its name or written out."""
        if isinstance(node, str):
            conditions = self._document.get("Conditions", {})
            if node not in conditions:
                raise TemplateError(f"There is no condition {node}.")
            return self.condition(conditions[node])
        return self.value(node) is True

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameter(name)
        if name in self._document.get("Resources", {}):
            return name
        if name.endswith(".Stage"):  # SAM's own: the stage that it makes for an API
            return self.value(self._resource(name.removesuffix(".Stage"), "Ref")["Properties"]["StageName"])
        raise TemplateError(f"Ref: there is no {name}.")

    def _parameter(self, name: str) -> str:
        value = self._parameters[name]
        if value is None:
            raise TemplateError(f"The parameter {name} has no default and was not given.")
        return str(value)

    def _attribute(self, arguments: list[str]) -> str:
        name, attribute = arguments
        resource = self._resource(name, "GetAtt")
        if attribute != "Arn":
            return f"{name}.{attribute}"
        if resource["Type"] == "AWS::Serverless::Function":
            return f"arn:aws:lambda:{self._region}:{ACCOUNT_ID}:function:{name}"
        service = resource["Type"].split("::")[1].lower()
        return f"arn:aws:{service}:{self._region}:{ACCOUNT_ID}:{name}"

    def _resource(self, name: str, asked_by: str) -> Any:
        resource = self._document.get("Resources", {}).get(name)
        if resource is None:
            raise TemplateError(f"{asked_by}: there is no {name}.")
        return resource

    def _substitute(self, arguments: str | list[Any]) -> str:
        text, own = (arguments, {}) if isinstance(arguments, str) else arguments

        def replacement(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in own:
                return str(self.value(own[name]))
            return str(self._attribute(name.split(".", 1)) if "." in name else self._ref(name))

        return _SUBSTITUTE.sub(replacement, text)
