"""What App Mesh refuses and CloudFormation's schemas take, as rules of cfn-lint with places in the template.

cfn-lint loads them by name, `cfn-lint -a meshproof.targets.appmesh.cfnlint`; nothing of ours imports them, so that the
package works without it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from meshproof.targets.appmesh.template_check import Topic, problems
from meshproof.targets.appmesh.together import DEFAULT, Quotas


class _Matching:
    """What the rules share: the problems of their topics, where they stand in the template."""

    source_url = "https://docs.aws.amazon.com/app-mesh/latest/APIReference/Welcome.html"
    tags = ("resources", "appmesh")
    topics: tuple[Topic, ...] = ()

    @property
    def quotas(self) -> Quotas:
        """What an account is given."""
        return DEFAULT

    def match(self, cfn: Any) -> list[RuleMatch]:  # noqa: ANN401  cfn-lint has no types
        """The problems of this rule."""
        found = problems(cfn.template, self.quotas)
        return [RuleMatch(list(one.path), one.message) for one in found if one.topic in self.topics]


class AppMeshFields(_Matching, CloudFormationLintRule):  # type: ignore[misc]  # cfn-lint has no types
    """Types, enumerations, bounds, patterns and unions of the service model."""

    id = "E9601"
    shortdesc = "A field of App Mesh is not what its API takes"
    description = "Types, enumerations, bounds, patterns and unions of App Mesh's service model"
    topics = (Topic.FIELD,)


class AppMeshRules(_Matching, CloudFormationLintRule):  # type: ignore[misc]
    """What must stand together in a resource, and what must not."""

    id = "E9602"
    shortdesc = "A resource of App Mesh breaks a rule"
    description = "What must stand together in a resource of App Mesh, and what must not"
    topics = (Topic.RULE,)


class AppMeshNamesAndPorts(_Matching, CloudFormationLintRule):  # type: ignore[misc]
    """Names that stand twice, and ports at which nobody listens."""

    id = "E9603"
    shortdesc = "Resources of App Mesh do not fit together"
    description = "Names that stand twice, backends that stand twice, and ports and protocols that no listener has"
    topics = (Topic.NAME, Topic.PORT)


class AppMeshReferences(_Matching, CloudFormationLintRule):  # type: ignore[misc]
    """Names that nothing has, if the mesh stands in the template."""

    id = "E9604"
    shortdesc = "A resource of App Mesh names another that is not there"
    description = "References within a mesh that the template declares. Disable it if other stacks add to the mesh"
    topics = (Topic.REFERENCE,)


class AppMeshQuotas(_Matching, CloudFormationLintRule):  # type: ignore[misc]
    """More resources than an account has."""

    id = "E9605"
    shortdesc = "There are more resources of App Mesh than the quotas give"
    description = "The quotas of an account; raised ones are told as `-x E9605:virtual_gateways=5`"
    topics = (Topic.QUOTA,)

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = {name: {"default": most, "type": "integer"} for name, most in asdict(DEFAULT).items()}
        self.configure()

    @property
    def quotas(self) -> Quotas:
        """Those that were told."""
        return Quotas(**{name: int(self.config[name]) for name in self.config_definition})
