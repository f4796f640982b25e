"""What App Mesh refuses and CloudFormation's schemas take, as rules of cfn-lint with places in the template.

cfn-lint loads them by name, `cfn-lint -a meshproof.targets.appmesh.cfnlint`; nothing of ours imports them, so that the
package works without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from meshproof.targets.appmesh.template_check import Topic, problems
from meshproof.targets.appmesh.together import DEFAULT, Quotas

_SOURCE = "https://docs.aws.amazon.com/app-mesh/latest/APIReference/Welcome.html"


def _matches(template: object, topics: Iterable[Topic], quotas: Quotas = DEFAULT) -> list[RuleMatch]:
    wanted = frozenset(topics)
    return [RuleMatch(list(one.path), one.message) for one in problems(template, quotas) if one.topic in wanted]


class AppMeshFields(CloudFormationLintRule):  # type: ignore[misc]  # cfn-lint has no types
    """Types, enumerations, bounds, patterns and unions of the service model."""

    id = "E9601"
    shortdesc = "A field of App Mesh is not what its API takes"
    description = "Types, enumerations, bounds, patterns and unions of App Mesh's service model"
    source_url = _SOURCE
    tags = ("resources", "appmesh")

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401
        """The problems of this rule."""
        return _matches(cfn.template, (Topic.FIELD,))


class AppMeshRules(CloudFormationLintRule):  # type: ignore[misc]
    """What must stand together in a resource, and what must not."""

    id = "E9602"
    shortdesc = "A resource of App Mesh breaks a rule"
    description = "What must stand together in a resource of App Mesh, and what must not"
    source_url = _SOURCE
    tags = ("resources", "appmesh")

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401
        """The problems of this rule."""
        return _matches(cfn.template, (Topic.RULE,))


class AppMeshNamesAndPorts(CloudFormationLintRule):  # type: ignore[misc]
    """Names that stand twice, and ports at which nobody listens."""

    id = "E9603"
    shortdesc = "Resources of App Mesh do not fit together"
    description = "Names that stand twice, backends that stand twice, and ports and protocols that no listener has"
    source_url = _SOURCE
    tags = ("resources", "appmesh")

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401
        """The problems of this rule."""
        return _matches(cfn.template, (Topic.NAME, Topic.PORT))


class AppMeshReferences(CloudFormationLintRule):  # type: ignore[misc]
    """Names that nothing has, if the mesh stands in the template."""

    id = "E9604"
    shortdesc = "A resource of App Mesh names another that is not there"
    description = "References within a mesh that the template declares. Disable it if other stacks add to the mesh"
    source_url = _SOURCE
    tags = ("resources", "appmesh")

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401
        """The problems of this rule."""
        return _matches(cfn.template, (Topic.REFERENCE,))


class AppMeshQuotas(CloudFormationLintRule):  # type: ignore[misc]
    """More resources than an account has."""

    id = "E9605"
    shortdesc = "There are more resources of App Mesh than the quotas give"
    description = "The quotas of an account; raised ones are told as `-x E9605:virtual_gateways=5`"
    source_url = _SOURCE
    tags = ("resources", "appmesh")

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = {name: {"default": most, "type": "integer"} for name, most in asdict(DEFAULT).items()}
        self.configure()

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401
        """The problems of this rule."""
        given = {name: int(self.config[name]) for name in self.config_definition}
        return _matches(cfn.template, (Topic.QUOTA,), Quotas(**given))
