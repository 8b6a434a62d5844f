#!/bin/sh
# The rendered manifests are of the templates as they are now. With helm and kustomize on PATH they are made anew and compared, and the chart is
# linted; without, the checksum of the inputs must be the one in each file's first line.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
failed=0
for pair in minimal:kubernetes/rendered/minimal.yaml production:kubernetes/rendered/production.yaml helm:helm/rendered.yaml; do
  file=$root/deploy/${pair#*:}
  if ! head -1 "$file" | grep -q "inputs $("$root/deploy/render.sh" --inputs "${pair%%:*}")\$"; then
    echo "deploy/${pair#*:} is not of the present inputs: run deploy/render.sh (it needs kustomize and helm)" >&2
    failed=1
  fi
done
cmp "$root/deploy/helm/attendant/files/attendant.rules.yml" "$root/deploy/compose/prometheus/rules/attendant.rules.yml" || failed=1
[ $failed = 0 ] || exit 1
if ! command -v helm >/dev/null || ! command -v kustomize >/dev/null; then
  echo "helm or kustomize is not on PATH: compared checksums only"
  exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$root/deploy/render.sh" "$dir"
for file in kubernetes/rendered/minimal.yaml kubernetes/rendered/production.yaml helm/rendered.yaml; do
  diff -u "$root/deploy/$file" "$dir/$file"
done
for values in "$root"/deploy/helm/attendant/values.yaml "$root"/deploy/helm/attendant/ci/*.yaml; do
  helm lint --strict --kube-version 1.34.0 --values "$values" "$root/deploy/helm/attendant"
done
if helm template x "$root/deploy/helm/attendant" --kube-version 1.34.0 --set-string resources.limits.cpu=1500m >/dev/null 2>&1; then
  echo "the chart takes half a core" >&2
  exit 1
fi
