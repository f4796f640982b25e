"""The objects in a set of files: lists taken apart, each with its place, found by kind, namespace and name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Label
from meshproof.targets.common.documents import Documents
from meshproof.targets.common.tree import MapNode, is_same
from meshproof.targets.istio.lift.findings import BAD_FIELD, COMPETING, LiftFindings
from meshproof.targets.istio.lift.kinds import CLUSTER_WIDE, KINDS, Kind
from meshproof.targets.istio.lift.values import mapping, mappings, origin_of, pairs, text

DEFAULT_NAMESPACE = "default"
_MOST_PLACES = 2


@dataclass(frozen=True, slots=True)
class KubeObject:
    """One object. `namespace` is empty for what has none; `order` is its number among all that was read.

    `origin` is the place of its name. `created` is `metadata.creationTimestamp`, where there is one.
    """

    kind: Kind
    version: str
    namespace: str
    name: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    created: str | None
    body: MapNode = field(repr=False, compare=False)
    origin: Origin
    order: int

    @property
    def spec(self) -> MapNode:
        """The `spec`, empty where there is none."""
        return mapping(self.body.get("spec"))

    @property
    def full_name(self) -> str:
        """`NAMESPACE/NAME`, or the name alone of what has no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def age_key(self) -> tuple[str, str, str, int]:
        """Sorts by age, oldest first, as Istio does: by time, then name and namespace. Without times, the order read.

        RFC 3339 times in UTC, which Kubernetes writes, sort as text; what has no time is taken as new.
        """
        return (self.created or "9999", self.name, self.namespace, self.order)


@dataclass(frozen=True, slots=True)
class ObjectIndex:
    """All objects of known kinds in the order in which they were read, and how many there were of others.

    `skipped` are kinds (`KIND.GROUP`) that say nothing of who may call whom, with their number.
    """

    objects: tuple[KubeObject, ...]
    skipped: tuple[tuple[str, int], ...]
    _by_kind: dict[Kind, tuple[KubeObject, ...]] = field(repr=False, compare=False)
    _by_name: dict[tuple[Kind, str, str], KubeObject] = field(repr=False, compare=False)

    def of(self, kind: Kind, namespace: str | None = None) -> tuple[KubeObject, ...]:
        """The objects of a kind, in one namespace or in all."""
        found = self._by_kind.get(kind, ())
        return found if namespace is None else tuple(one for one in found if one.namespace == namespace)

    def get(self, kind: Kind, namespace: str, name: str) -> KubeObject | None:
        """The object of that name."""
        return self._by_name.get((kind, namespace, name))


def index_objects(documents: Iterable[Documents], findings: LiftFindings) -> ObjectIndex:
    """The objects in the documents, lists (`kind: List`, and `…List`) taken apart.

    Of two objects with the same kind, namespace and name the last stays, as if they had been applied in order.
    """
    skipped: Counter[str] = Counter()
    found: dict[tuple[Kind, str, str], KubeObject] = {}
    left_out: dict[tuple[Kind, str, str], list[KubeObject]] = {}
    for order, tree in enumerate(_flattened(documents)):
        one = _object(tree, order, skipped, findings)
        if one is None:
            continue
        key = (one.kind, one.namespace, one.name)
        if key in found and not is_same(found[key].body, one.body):
            left_out.setdefault(key, []).append(found[key])
        found.pop(key, None)
        found[key] = one
    _report_repeated([(found[key], others) for key, others in left_out.items()], findings)
    by_kind: dict[Kind, list[KubeObject]] = {}
    for one in found.values():
        by_kind.setdefault(one.kind, []).append(one)
    return ObjectIndex(
        tuple(found.values()),
        tuple(sorted(skipped.items())),
        {kind: tuple(members) for kind, members in by_kind.items()},
        found,
    )


def _report_repeated(repeated: list[tuple[KubeObject, list[KubeObject]]], findings: LiftFindings) -> None:
    """One finding for all objects that stand more than once: files that are meant to be applied in turn are one cause.

    Places are those of the first object; of the others, and of which is taken, there are notes.
    """
    if not repeated:
        return
    taken, others = repeated[0]
    counted = "1 object stands" if len(repeated) == 1 else f"{len(repeated)} objects stand"
    files = {one.origin.span.file for found, rest in repeated for one in (found, *rest)}
    where = "several times in one file" if len(files) == 1 else "in several files"
    findings.add(
        COMPETING,
        f"{counted} {where}, each time with other contents: the last that was read is judged",
        taken.full_name,
        taken.origin,
        label=f"this {taken.kind} is taken",
        others=tuple(Label(one.origin.span, "and this is not") for one in others[-_MOST_PLACES:]),
        notes=tuple(
            f"{one.kind} `{one.full_name}` stands {len(rest) + 1} times; {_taken_from(one, rest)}"
            for one, rest in repeated
        ),
        advice="leave the one that is in force"
        if len(files) == 1
        else "files that replace each other are not in force together: check those that are, by their names",
    )


def _taken_from(one: KubeObject, others: list[KubeObject]) -> str:
    is_alone = all(other.origin.span.file == one.origin.span.file for other in others)
    return "the last is taken" if is_alone else f"`{one.origin.span.file}` is taken"


def _flattened(documents: Iterable[Documents]) -> Iterable[MapNode]:
    for file in documents:
        for tree in file.trees:
            yield from _parts(tree)


def _parts(tree: MapNode) -> Iterable[MapNode]:
    kind = text(tree.get("kind")) or ""
    if kind.endswith("List") and tree.get("items") is not None:
        for item in mappings(tree.get("items")):
            yield from _parts(item)
    else:
        yield tree


def _object(tree: MapNode, order: int, skipped: Counter[str], findings: LiftFindings) -> KubeObject | None:
    group, _, version = (text(tree.get("apiVersion")) or "").rpartition("/")
    kind_name = text(tree.get("kind"))
    if kind_name is None or not version:
        skipped["no `apiVersion` and `kind`"] += 1
        return None
    kind = KINDS.get((group, kind_name))
    if kind is None:
        skipped[f"{kind_name}.{group}" if group else kind_name] += 1
        return None
    metadata = mapping(tree.get("metadata"))
    name = metadata.get("name")
    namespace = "" if kind in CLUSTER_WIDE else text(metadata.get("namespace")) or DEFAULT_NAMESPACE
    if text(name) is None:
        findings.add(BAD_FIELD, f"{kind} has no `metadata.name`", kind, origin_of(tree))
    return KubeObject(
        kind=kind,
        version=version,
        namespace=namespace,
        name=text(name) or f"unnamed-{order}",
        labels=pairs(metadata.get("labels")),
        annotations=pairs(metadata.get("annotations")),
        created=text(metadata.get("creationTimestamp")),
        body=tree,
        origin=origin_of(tree if name is None else name),
        order=order,
    )
