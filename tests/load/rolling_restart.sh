#!/usr/bin/env bash
# Two replicas of attendant-server behind nginx with deploy/proxy/nginx.conf, restarted in turn under load.
#
#   rolling_restart.sh [--bin DIR] [--keep-logs DIR] [flags of rolling_restart]
#   rolling_restart.sh                                       SIGTERM, 40 restarts, 100,000 requests: about four minutes
#   rolling_restart.sh --signal=KILL
#
# Exit code 77: nginx is not installed, nothing was tested.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/build/release/bin
logs=
while (($#)); do
  case $1 in
    --bin) bin=$2; shift 2 ;;
    --keep-logs) logs=$2; shift 2 ;;
    --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) break ;;
  esac
done
. "$root/deploy/build.sh"
nginx=$(cd "$root" && attendant_nginx) || { echo "SKIPPED: rolling restart: no nginx here (Debian's package nginx)"; exit 77; }
command -v openssl >/dev/null || { echo "SKIPPED: rolling restart: no openssl here"; exit 77; }

run=$(mktemp -d)
chmod 755 "$run"
stop() {
  [[ -s $run/nginx.pid ]] && kill -QUIT "$(<"$run/nginx.pid")" 2>/dev/null
  [[ -n $logs ]] && mkdir -p "$logs" && cp "$run"/*.log "$logs"
  rm -rf "$run"
}
trap stop EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$run/tls.key" -out "$run/tls.crt" 2>/dev/null
mapfile -t port < <("$bin/rolling_restart" --free-ports=3)

# The file that ships, with this machine's addresses and directories.
sed -e "s#attendant-0:8500#127.0.0.1:${port[0]}#; s#attendant-1:8500#127.0.0.1:${port[1]}#" \
    -e "s#listen 8443 #listen 127.0.0.1:${port[2]} #; s#attendant.example.org#localhost#" \
    -e "s#/etc/nginx/tls#$run#; s#/var/log/nginx/attendant#$run/nginx#; s#/var/lib/nginx#$run#" \
    "$root/deploy/proxy/nginx.conf" >"$run/nginx.conf"
# Modules of no use here want directories of their own.
temp=$(for m in proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/%s; ' $m "$run" $m; done)
sed -i "s#^http {#http { $temp#" "$run/nginx.conf"
"$nginx" -p "$run" -e "$run/nginx-error.log" -c "$run/nginx.conf" -g "pid $run/nginx.pid;" 2>"$run/nginx-start.log" \
  || { cat "$run/nginx-start.log" >&2; exit 1; }

status=0
"$bin/rolling_restart" --proxy=localhost:"${port[2]}" --ca="$run/tls.crt" --ports="${port[0]},${port[1]}" "$@" || status=$?
kill -QUIT "$(<"$run/nginx.pid")"
for _ in {1..100}; do [[ -e $run/nginx.pid ]] || break; sleep 0.1; done
# A call that was tried on two replicas names both.
awk -v first="127.0.0.1:${port[0]}" '
  match($0, /"replicas":"[^"]*"/) {
    replicas = substr($0, RSTART + 12, RLENGTH - 13)
    if (replicas ~ /,| : /) ++twice
    sub(/.*(, | : )/, "", replicas)
    if (replicas == first) ++a; else ++b
  }
  END { printf "%-34s %d, %d\n%-34s %d\n", "calls by replica, as nginx saw it", a, b, "calls that nginx tried twice", twice }
' "$run/nginx.log"
((status == 0)) || tail -n 20 "$run/nginx-error.log" >&2
exit "$status"
