#!/bin/sh
# Shows that the field's own clients talk to the server unchanged: tritonclient, health checks and reflection from PyPI,
# and grpcurl where it is installed. Needs Python with venv, and PyPI the first time. Not part of ./test.
#
# Usage: talk_to_server.sh [BUILD_DIR]        (default build/release)
#   VENV=DIR     where the clients are installed and kept (default build/peers)
#   GRPCURL=FILE (default: grpcurl of the PATH)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/release}
venv=${VENV:-$root/build/peers}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'tritonclient[grpc]' grpcio-health-checking grpcio-reflection
fi

ports=$(mktemp -u)
"$build/bin/attendant-server" --models "$root/models" --listen 127.0.0.1:0 --metrics "" --port-file "$ports" \
  --log-level error &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -f "$ports"' EXIT
waited=0
while [ ! -e "$ports" ] && [ "$waited" -lt 300 ]; do
  sleep 0.1
  waited=$((waited + 1))
done
port=$(sed -n 's/^grpc //p' "$ports")

"$venv/bin/python" "$root/tests/peers/talk_to_server.py" "127.0.0.1:$port" "$root/docs/samples/cat.jpg"

grpcurl=${GRPCURL:-$(command -v grpcurl || true)}
if [ -z "$grpcurl" ]; then
  echo "== grpcurl: not installed, skipped"
  exit 0
fi
echo "== grpcurl"
show() {
  echo "\$ grpcurl $*"
  answer=$("$grpcurl" -plaintext "$@")
  echo "$answer" | tr -s '\n ' ' '
  echo
}
show "127.0.0.1:$port" list
show "127.0.0.1:$port" grpc.health.v1.Health/Check
show "127.0.0.1:$port" inference.GRPCInferenceService/ServerReady
show -d '{"name": "translate-en-de"}' "127.0.0.1:$port" inference.GRPCInferenceService/ModelMetadata
text=$(printf 'Good morning.' | base64)
show -d "{\"model_name\": \"translate-en-de\", \"inputs\": [{\"name\": \"text\", \"datatype\": \"BYTES\", \"shape\": [1],
  \"contents\": {\"bytes_contents\": [\"$text\"]}}]}" "127.0.0.1:$port" inference.GRPCInferenceService/ModelInfer
