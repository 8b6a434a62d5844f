#!/usr/bin/env python3
"""Makes tests/deploy/schemas: kubernetes.json, JSON Schemas (draft 7) for the kinds in deploy/, and compose.json, the Compose Specification's.

kubernetes.json is from Kubernetes' swagger.json and the CRDs of the Prometheus operator and KServe (all Apache-2.0), without descriptions, and strict: a property
that is not known is an error. What a CRD repeats of a core type refers to that type; KServe's InferenceService keeps what SERVED_PROPERTIES names.

  go mod download k8s.io/kubernetes@v1.34.1 github.com/prometheus-operator/prometheus-operator@v0.85.0 github.com/kserve/kserve@v0.15.2 \
    github.com/compose-spec/compose-go/v2@v2.9.0
  tests/deploy/make_schemas.py --modules "$(go env GOMODCACHE)"
"""
import argparse
import json
import pathlib

import yaml

KUBERNETES = "k8s.io/kubernetes@v1.34.1"
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
KSERVE = "github.com/kserve/kserve@v0.15.2"
COMPOSE = "github.com/compose-spec/compose-go/v2@v2.9.0"
CORE_KINDS = [
    ("", "v1", "ConfigMap"), ("", "v1", "Namespace"), ("", "v1", "PersistentVolumeClaim"), ("", "v1", "Secret"), ("", "v1", "Service"),
    ("", "v1", "ServiceAccount"), ("apps", "v1", "Deployment"), ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io", "v1", "NetworkPolicy"), ("policy", "v1", "PodDisruptionBudget"),
]
CRDS = [
    (OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
    (OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
    (KSERVE, "config/crd/full/serving.kserve.io_clusterservingruntimes.yaml"),
    (KSERVE, "config/crd/full/serving.kserve.io_inferenceservices.yaml"),
]
CORE = "#/definitions/io.k8s.api.core.v1."
# A property of this name in a CRD of KServe is this core type (lists: of it).
CORE_PROPERTIES = {
    "affinity": "Affinity", "containers": "Container", "initContainers": "Container", "volumes": "Volume", "tolerations": "Toleration",
    "imagePullSecrets": "LocalObjectReference", "securityContext": "PodSecurityContext", "topologySpreadConstraints": "TopologySpreadConstraint",
    "env": "EnvVar", "envFrom": "EnvFromSource", "resources": "ResourceRequirements", "livenessProbe": "Probe", "readinessProbe": "Probe",
    "startupProbe": "Probe", "lifecycle": "Lifecycle", "ports": "ContainerPort", "volumeMounts": "VolumeMount",
}
SERVED_PROPERTIES = {"predictor", "model", "minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "modelFormat", "name", "version", "runtime",
                     "protocolVersion", "storageUri", "resources", "args", "env", "nodeSelector", "tolerations", "timeout", "containerConcurrency"}


def core_schemas(modules):
    all_definitions = json.loads((modules / KUBERNETES / "api/openapi-spec/swagger.json").read_text())["definitions"]
    names = {}
    for name, definition in all_definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            names.setdefault((kind["group"], kind["version"], kind["kind"]), name)
    roots = {f"{group}/{version}/{kind}".lstrip("/"): names[(group, version, kind)] for group, version, kind in CORE_KINDS}
    return all_definitions, roots


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[-1]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def strict(node):
    """Without descriptions and extensions; objects with properties take no others."""
    if isinstance(node, list):
        return [strict(value) for value in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string") or node.get("format") == "int-or-string":
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    out = {}
    for key, value in node.items():
        if key.startswith("x-") or key in ("format", "default") or (key == "description" and isinstance(value, str)):
            continue
        out[key] = {k: strict(v) for k, v in value.items()} if key == "properties" else strict(value)
    if "properties" in out and "additionalProperties" not in out and not node.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    return out


def with_core_types(node, keep=None):
    """Replaces what repeats a core type by a reference to it; keep: the only properties that stay."""
    if isinstance(node, list):
        return [with_core_types(value, keep) for value in node]
    if not isinstance(node, dict):
        return node
    out = dict(node)
    if isinstance(node.get("properties"), dict):
        out["properties"] = {}
        for name, value in node["properties"].items():
            if keep is not None and name not in keep:
                continue
            if name in CORE_PROPERTIES and value.get("type") == "array":
                value = {"type": "array", "items": {"$ref": CORE + CORE_PROPERTIES[name]}}
            elif name in CORE_PROPERTIES and value.get("type") == "object":
                value = {"$ref": CORE + CORE_PROPERTIES[name]}
            else:
                value = with_core_types(value, keep)
            out["properties"][name] = value
        out.pop("required", None) if keep is not None else None
    if "items" in node:
        out["items"] = with_core_types(node["items"], keep)
    return out


def crd_schemas(modules):
    for module, path in CRDS:
        crd = yaml.safe_load((modules / module / path).read_text())["spec"]
        kind = crd["names"]["kind"]
        for version in crd["versions"]:
            if not version["storage"]:
                continue
            spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
            if module == KSERVE:
                spec = with_core_types(spec, SERVED_PROPERTIES if kind == "InferenceService" else None)
            schema = {"type": "object", "required": ["apiVersion", "kind", "metadata", "spec"], "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "spec": spec,
                "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}}}
            yield f"{crd['group']}/{version['name']}/{kind}", schema


def without_descriptions(node):
    if isinstance(node, dict):
        return {k: without_descriptions(v) for k, v in node.items() if not (k == "description" and isinstance(v, str))}
    return [without_descriptions(v) for v in node] if isinstance(node, list) else node


def write_compose_schema(modules):
    schema = without_descriptions(json.loads((modules / COMPOSE / "schema/compose-spec.json").read_text()))
    schema.pop("$id")  # References are to the document itself.
    schema["$comment"] = f"Made by make_schemas.py from {COMPOSE}; Apache License 2.0."
    (pathlib.Path(__file__).parent / "schemas/compose.json").write_text(json.dumps(schema, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", required=True, type=pathlib.Path)
    modules = parser.parse_args().modules
    write_compose_schema(modules)
    core, roots = core_schemas(modules)
    definitions, kinds = {}, {}
    for name, schema in crd_schemas(modules):
        kind = name.rsplit("/", 1)[-1]
        definitions[kind] = strict(schema)
        kinds[name] = "#/definitions/" + kind
    kinds.update({name: "#/definitions/" + definition for name, definition in roots.items()})
    pending = list(roots.values()) + list(references(definitions))
    while pending:
        name = pending.pop()
        if name not in definitions:
            definitions[name] = strict(core[name])
            pending += references(definitions[name])
    for definition in roots.values():  # The API server asks for these; the swagger file does not.
        definitions[definition]["required"] = sorted({"apiVersion", "kind", "metadata"} | set(definitions[definition].get("required", [])))
    out = {"$comment": f"Made by make_schemas.py from {KUBERNETES}, {OPERATOR} and {KSERVE}; Apache License 2.0.",
           "kinds": dict(sorted(kinds.items())), "definitions": dict(sorted(definitions.items()))}
    path = pathlib.Path(__file__).parent / "schemas/kubernetes.json"
    lines = ["{", f' "$comment": {json.dumps(out["$comment"])},', f' "kinds": {json.dumps(out["kinds"], indent=2)},', ' "definitions": {']
    lines.append(",\n".join(f"  {json.dumps(name)}: {json.dumps(schema, separators=(',', ':'), sort_keys=True)}"
                            for name, schema in out["definitions"].items()))
    path.write_text("\n".join(lines) + "\n }\n}\n")


if __name__ == "__main__":
    main()
