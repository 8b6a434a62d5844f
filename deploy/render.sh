#!/bin/sh
# Writes what kustomize and helm make of deploy/kubernetes and deploy/helm into files that ./test checks and that need neither to be applied:
#   deploy/render.sh [DIR]     DIR instead of deploy/
# Each begins with the checksum of what it was made of; deploy/render.sh --inputs NAME prints it.
set -eu
cd "$(dirname "$0")"
inputs() {
  case $1 in
    helm) set -- helm/attendant ;;
    *) set -- kubernetes/base "kubernetes/overlays/$1" ;;
  esac
  find "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1
}
if [ "${1:-}" = --inputs ]; then inputs "$2"; exit 0; fi
out=${1:-.}
mkdir -p "$out/kubernetes/rendered" "$out/helm"
for overlay in minimal production; do
  file=$out/kubernetes/rendered/$overlay.yaml
  { echo "# kustomize build deploy/kubernetes/overlays/$overlay; inputs $(inputs "$overlay")"; kustomize build "kubernetes/overlays/$overlay"; } >"$file.new"
  mv "$file.new" "$file"
done
{
  echo "# helm template attendant deploy/helm/attendant --namespace attendant --kube-version 1.34.0; inputs $(inputs helm)"
  helm template attendant helm/attendant --namespace attendant --kube-version 1.34.0
} >"$out/helm/rendered.yaml.new"
mv "$out/helm/rendered.yaml.new" "$out/helm/rendered.yaml"
