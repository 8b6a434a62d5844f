#!/usr/bin/env bash
# nginx and Envoy (ATTENDANT_ENVOY, or `envoy` on the path) accept the configurations in deploy/proxy, unchanged but for directories
# and names that only exist where they are installed.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/deploy/build.sh"
command -v openssl >/dev/null || { echo "SKIPPED: proxy configurations: no openssl here"; exit 77; }
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -keyout "$run/tls.key" -out "$run/tls.crt" 2>/dev/null
tested=0

if nginx=$(cd "$root" && attendant_nginx); then
  temp=$(for m in proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/%s; ' $m "$run" $m; done)
  check_nginx() {
    sed -e "s#attendant-[01]:#127.0.0.1:#; s#/etc/nginx/tls#$run#; s#/var/log/nginx#$run#; s#/var/lib/nginx#$run#; s#^http {#http { $temp#" \
      "$1" >"$run/nginx.conf"
    "$nginx" -t -q -p "$run" -e "$run/error.log" -c "$run/nginx.conf" -g "pid $run/nginx.pid;" 2>"$run/complaints"
  }
  check_nginx "$root/deploy/proxy/nginx.conf" || { cat "$run/complaints"; exit 1; }
  # Newer versions would rather have `http2 on;`, which older ones do not know.
  if grep -v 'the "listen ... http2" directive is deprecated\|"user" directive' "$run/complaints" | grep '\[warn\]\|\[emerg\]'; then exit 1; fi
  # And the check sees a mistake.
  sed 's/least_conn;/no_such_thing;/' "$root/deploy/proxy/nginx.conf" >"$run/wrong"
  if check_nginx "$run/wrong"; then echo "nginx accepts anything"; exit 1; fi
  echo "nginx.conf: accepted by $("$nginx" -v 2>&1)"
  tested=$((tested + 1))
else
  echo "NOT TESTED: nginx.conf: no nginx here"
fi

if envoy=${ATTENDANT_ENVOY:-$(command -v envoy)} && command -v protoc >/dev/null; then
  protoc -I "$root/proto" --include_imports --descriptor_set_out="$run/attendant.pb" "$root"/proto/attendant/v1/*.proto
  sed "s#/etc/envoy/tls#$run#; s#/etc/envoy#$run#" "$root/deploy/proxy/envoy.yaml" >"$run/envoy.yaml"
  "$envoy" --mode validate --log-level error -c "$run/envoy.yaml"
  tested=$((tested + 1))
else
  echo "NOT TESTED: envoy.yaml: no Envoy here (Debian has none); ATTENDANT_ENVOY=PROGRAM names one"
fi
((tested > 0)) || { echo "SKIPPED: proxy configurations: neither nginx nor Envoy here"; exit 77; }
