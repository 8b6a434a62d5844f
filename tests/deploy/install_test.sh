#!/usr/bin/env bash
# `cmake --install` puts everything in place, and what it puts there runs from there. install_test.sh BUILD_DIR
set -euo pipefail
build=$1
[[ -x $build/bin/attendant && -x $build/bin/attendant-server ]] || { echo "SKIPPED: install: attendant and attendant-server are not built"; exit 77; }
run=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null; rm -rf "$run"' EXIT
cmake --install "$build" --prefix "$run/usr" >/dev/null
usr=$run/usr
for file in bin/attendant bin/attendant-server lib/systemd/system/attendant.service share/doc/attendant/LICENSE share/doc/attendant/NOTICE \
            share/man/man1/attendant.1 share/man/man1/attendant-server.1 share/attendant/models/translate-en-de/model.safetensors; do
  [[ -s $usr/$file ]] || { echo "not installed: $file"; exit 1; }
done
[[ ! -e $usr/share/attendant/models/recipes ]] || { echo "recipes are no models"; exit 1; }
if grep '@[a-z]*_dir@' "$usr/lib/systemd/system/attendant.service"; then echo "an @name@ is left in the unit"; exit 1; fi
grep -q 'max\\-queue' "$usr/share/man/man1/attendant-server.1" || { echo "the manual page has no flags"; exit 1; }

# The command line of the unit, with other ports.
read -ra command < <(sed -n 's/^ExecStart=//p' "$usr/lib/systemd/system/attendant.service")
[[ ${command[0]} == "$usr/bin/attendant-server" ]] || { echo "the unit runs ${command[0]}"; exit 1; }
"${command[@]}" --listen=127.0.0.1:0 --metrics=127.0.0.1:0 --port-file="$run/ports" 2>"$run/log" &
server=$!
for _ in {1..600}; do [[ -s $run/ports ]] && break; sleep 0.1; done
answer=$("$usr/bin/attendant" translate --wait 60s --quiet --server "127.0.0.1:$(awk '$1 == "grpc" { print $2 }' "$run/ports")" "Good morning!")
[[ $answer == "Guten Morgen!" ]] || { echo "it answers \"$answer\""; cat "$run/log"; exit 1; }
kill -TERM "$server"
wait "$server"
server=
