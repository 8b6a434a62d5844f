#!/usr/bin/env bash
# systemd reads the unit without a complaint, and finds little left to take from it. systemd_unit_test.sh BUILD_DIR
# That the server runs inside that sandbox is not tested: it takes a machine that systemd has started.
set -euo pipefail
build=$1
command -v systemd-analyze >/dev/null || { echo "SKIPPED: systemd unit: no systemd-analyze here (Debian's package systemd)"; exit 77; }
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
cmake --install "$build" --component host --prefix "$run/usr" >/dev/null
unit=$run/attendant.service
# The program as it was built: `verify` wants it to be there.
sed "s#$run/usr/bin/#$build/bin/#" "$run/usr/lib/systemd/system/attendant.service" >"$unit"
complaints=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F attendant.service || true)
[[ -z $complaints ]] || { echo "$complaints"; exit 1; }

if ! systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then echo "NOT TESTED: exposure: this systemd-analyze knows no --offline"; exit 0; fi
systemd-analyze security --offline=true --no-pager "$unit" | tail -n 1
# 0 is nothing exposed, 10 everything, a plain service 9.6. What is left is the network, which it is for, and memory that is written and executed.
systemd-analyze security --offline=true --threshold=20 "$unit" >/dev/null
# And a plain service does not pass.
printf '[Service]\nExecStart=/bin/true\n' >"$run/plain.service"
if systemd-analyze security --offline=true --threshold=20 "$run/plain.service" >/dev/null 2>&1; then echo "systemd-analyze accepts anything"; exit 1; fi
