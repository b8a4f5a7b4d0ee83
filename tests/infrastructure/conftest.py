"""The template as CloudFormation gets it: what SAM makes of it when it is deployed."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]

type Document = dict[str, Any]


class _NoManagedPolicies:
    """What SAM asks for the ARNs of AWS's own policies, of which the template names none for its functions."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="session")
def source() -> Document:
    """The template as it is written, to be changed by nobody."""
    document: Document = yaml_parse((ROOT / "template.yaml").read_text())
    return document


@pytest.fixture(scope="session")
def translate() -> Callable[[Document], Document]:
    """What CloudFormation gets for a template whose code lies where `sam deploy` would put it."""

    def translated(document: Document) -> Document:
        uploaded = copy.deepcopy(document)
        uploaded["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
        for resource in uploaded["Resources"].values():
            if "ContentUri" in resource["Properties"]:
                resource["Properties"]["ContentUri"] = "s3://bucket/key"
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
            result: Document = transform(uploaded, {}, _NoManagedPolicies())
        return result

    return translated


@pytest.fixture(scope="session")
def deployed(source: Document, translate: Callable[[Document], Document]) -> Document:
    """The template as CloudFormation gets it, to be changed by nobody."""
    return translate(source)
