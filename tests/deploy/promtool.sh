#!/bin/sh
# Prometheus' own checks: configuration, rules, the rules' unit tests, and what a real server exports. Argument: where attendant-server is.
# promtool comes from PATH, $PROMTOOL or build/tools (./test puts it there: deploy/build.sh).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
promtool=${PROMTOOL:-$(command -v promtool || echo "$root/build/tools/promtool")}
if ! [ -x "$promtool" ]; then
  echo "SKIPPED: THE ALERT RULES ARE NOT TESTED: there is no promtool." >&2
  echo "It is in Debian's package promtool (13) or prometheus (12); set PROMTOOL to it, or let ./test fetch it into build/tools." >&2
  exit 77
fi
cd "$root/deploy/compose/prometheus"
"$promtool" check config prometheus.yml
"$promtool" check rules rules/attendant.rules.yml
"$promtool" test rules rules/attendant.test.yml

dir=$(mktemp -d)
"$1/attendant-server" --models="$root/models" --listen=127.0.0.1:0 --metrics=127.0.0.1:0 --port-file="$dir/ports" --kv-cache-bytes=16MiB 2>"$dir/log" &
server=$!
trap 'kill -9 $server 2>/dev/null; rm -rf "$dir"' EXIT
tries=0
until grep -q metrics "$dir/ports" 2>/dev/null; do
  tries=$((tries + 1))
  if [ $tries -gt 600 ]; then cat "$dir/log" >&2; exit 1; fi
  sleep 0.1
done
curl --silent --fail "http://127.0.0.1:$(sed -n 's/^metrics //p' "$dir/ports")/metrics" >"$dir/scrape"
grep -q '^attendant_build_info' "$dir/scrape"
"$promtool" check metrics <"$dir/scrape"
