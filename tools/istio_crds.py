"""Generate the schemas of Istio's kinds that the package carries, from the Go module `istio.io/api`.

    python tools/istio_crds.py            # write targets/istio/schemas with the version noted there
    python tools/istio_crds.py --latest   # the newest release on the module proxy instead
    python tools/istio_crds.py --check    # fail if the committed files are not what the noted version gives

Needs Go; building and running the package do not. The custom resource definitions become strict JSON Schemas (a field
that the API server would prune is refused), and their CEL rules a list of places and expressions that
`meshproof.targets.istio.admission` implements.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

MODULE = "istio.io/api"
SOURCE = "kubernetes/customresourcedefinitions.gen.yaml"
SCHEMAS = Path(__file__).resolve().parent.parent / "targets" / "istio" / "schemas"
KINDS = (
    "AuthorizationPolicy",
    "DestinationRule",
    "Gateway",
    "PeerAuthentication",
    "RequestAuthentication",
    "ServiceEntry",
    "Sidecar",
    "VirtualService",
)
KEPT = (
    "type",
    "required",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)
COMBINED = ("allOf", "anyOf", "oneOf")
IGNORED = ("description", "format", "default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys")
HANDLED = (
    "properties",
    "items",
    "additionalProperties",
    "not",
    "nullable",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
)

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
STRINGS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA: Json = {
    "$comment": "ObjectMeta of k8s.io/apimachinery, whose definitions the CRDs do not repeat",
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 253, "pattern": SUBDOMAIN},
        "generateName": {"type": "string"},
        "namespace": {"type": "string", "maxLength": 63, "pattern": LABEL},
        "labels": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "maxLength": 63,
                "pattern": r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
            },
        },
        "annotations": STRINGS,
        "uid": {"type": "string"},
        "resourceVersion": {"type": "string"},
        "generation": {"type": "integer"},
        "creationTimestamp": {"type": ["string", "null"]},
        "deletionTimestamp": {"type": ["string", "null"]},
        "deletionGracePeriodSeconds": {"type": "integer"},
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
        "managedFields": {"type": "array", "items": {"type": "object"}},
        "selfLink": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Module:
    """A released version of the module, its hash as go.sum writes it, and where it lies unpacked."""

    version: str
    sum: str
    folder: Path


def download(version: str) -> Module:
    """Fetch the module with the ordinary Go client, which verifies it against the checksum database."""
    command = ["go", "mod", "download", "-json", f"{MODULE}@{version}"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout)
    return Module(found["Version"], found["Sum"], Path(found["Dir"]))


def strict(schema: Json) -> Json:
    """The structural schema as JSON Schema 2020-12 that refuses what the API server would prune."""
    if not isinstance(schema, dict):
        return schema
    unknown = set(schema) - set(KEPT) - set(COMBINED) - set(IGNORED) - set(HANDLED)
    if unknown:
        message = f"the definitions use keywords that this script does not know: {', '.join(sorted(unknown))}"
        raise SystemExit(message)
    out: dict[str, Json] = {key: schema[key] for key in KEPT if key in schema}
    for key in COMBINED:
        alternatives = schema.get(key)
        if isinstance(alternatives, list):
            out[key] = [strict(alternative) for alternative in alternatives]
    if "not" in schema:
        out["not"] = strict(schema["not"])
    if "items" in schema:
        out["items"] = strict(schema["items"])
    properties = schema.get("properties")
    if isinstance(properties, dict):
        out["properties"] = {name: strict(value) for name, value in properties.items()}
    if "additionalProperties" in schema:
        out["additionalProperties"] = strict(schema["additionalProperties"])
    elif schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    if schema.get("nullable"):
        out["type"] = [out["type"], "null"]
        if isinstance(enum := out.get("enum"), list):
            out["enum"] = [*enum, None]
    return out


def rules(schema: Json, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], str, str]]:
    """The CEL rules below a schema: where (`[]` every item, `{}` every value), the expression, the message."""
    if not isinstance(schema, dict):
        return []
    own = schema.get("x-kubernetes-validations")
    found = [
        (path, str(rule["rule"]), str(rule.get("message", "")))
        for rule in (own if isinstance(own, list) else [])
        if isinstance(rule, dict)
    ]
    properties = schema.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        found += rules(value, (*path, name))
    found += rules(schema.get("items"), (*path, "[]"))
    found += rules(schema.get("additionalProperties"), (*path, "{}"))
    return found


def definitions(module: Module) -> dict[str, Json]:
    """The definitions of the kinds that we read and write, by kind."""
    with (module.folder / SOURCE).open(encoding="utf-8") as stream:
        documents = [document for document in yaml.load_all(stream, Loader=yaml.SafeLoader) if document]
    found = {document["spec"]["names"]["kind"]: document["spec"] for document in documents}
    if missing := [kind for kind in KINDS if kind not in found]:
        message = f"{SOURCE} has no definition of {', '.join(missing)}"
        raise SystemExit(message)
    return {kind: found[kind] for kind in KINDS}


def generate(module: Module) -> dict[str, str]:
    """Every file of the folder, by name."""
    note = (
        f"Generated by tools/istio_crds.py from {MODULE} {module.version} ({module.sum}), {SOURCE}, "
        "Apache-2.0, Copyright Istio Authors; do not edit"
    )
    out: dict[str, str] = {}
    places: list[Json] = []
    for kind, spec in definitions(module).items():
        assert isinstance(spec, dict)
        group, versions = spec["group"], spec["versions"]
        assert isinstance(versions, list)
        by_name: dict[str, Json] = {}
        for version in versions:
            assert isinstance(version, dict)
            schema = version["schema"]
            assert isinstance(schema, dict)
            if version["served"]:
                by_name[str(version["name"])] = schema["openAPIV3Schema"]
        newest = by_name["v1"]
        body = strict(newest)
        assert isinstance(body, dict)
        properties = body["properties"]
        assert isinstance(properties, dict)
        served = [name for name, schema in sorted(by_name.items()) if schema == newest]
        document: dict[str, Json] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$comment": note,
            "title": kind,
            "type": "object",
            "additionalProperties": False,
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {
                "apiVersion": {"enum": [f"{group}/{name}" for name in served]},
                "kind": {"enum": [kind]},
                "metadata": METADATA,
                **properties,
            },
        }
        out[f"{kind}.json"] = _text(document)
        places += [
            {"kind": kind, "path": list(path), "rule": rule, "message": message}
            for path, rule, message in rules(newest, ())
        ]
    out["cel.json"] = _text({"$comment": note, "rules": places})
    digest = hashlib.sha256((module.folder / SOURCE).read_bytes()).hexdigest()
    out["version.json"] = (
        json.dumps(
            {
                "module": MODULE,
                "version": module.version,
                "sum": module.sum,
                "source": SOURCE,
                "sha256": digest,
                "license": "Apache-2.0",
            },
            indent=2,
        )
        + "\n"
    )
    return out


def _text(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing, exit 1 on a difference")
    parser.add_argument("--latest", action="store_true", help="take the newest release, not the version noted")
    arguments = parser.parse_args()
    noted = SCHEMAS / "version.json"
    if arguments.latest or not noted.exists():
        version = "latest"
    else:
        version = json.loads(noted.read_text(encoding="utf-8"))["version"]
    module = download(version)
    files = generate(module)
    if arguments.check:
        stale = [
            name
            for name, text in files.items()
            if not (SCHEMAS / name).exists() or (SCHEMAS / name).read_text(encoding="utf-8") != text
        ]
        for name in stale:
            sys.stderr.write(f"{SCHEMAS / name} is not what {MODULE} {module.version} gives\n")
        return 1 if stale else 0
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(files)} files from {MODULE} {module.version} {module.sum}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
