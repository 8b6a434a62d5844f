#!/usr/bin/env bash
# Builds the Dockerfile on a Debian that debootstrap makes, with buildah and no daemon, and runs the image as a container runtime would: its
# own process, network and mount namespaces, the server as PID 1 and the image's user, root read-only.
#
#   ATTENDANT_CONTAINER_TEST=1 container_test.sh [SUITE]      SUITE: trixie unless said, or bookworm
#
# The first run downloads Debian packages and compiles: a quarter of an hour on two cores. What can be kept is kept in
# ATTENDANT_CONTAINER_CACHE (~/.cache/attendant-container). Exit code 77: it was not asked for or cannot run here, and says why.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
suite=${1:-trixie}
cache=${ATTENDANT_CONTAINER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/attendant-container}
image=localhost/attendant-test:$suite
max_mb=150

skip() { echo "SKIPPED: container test: $*"; exit 77; }
say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; [[ -s $run/server.log ]] && tail -n 20 "$run/server.log" >&2; exit 1; }
expect() { [[ $2 == "$3" ]] || fail "$1 is \"$2\", not \"$3\""; }

[[ ${ATTENDANT_CONTAINER_TEST:-} == 1 ]] || skip "takes a quarter of an hour; ATTENDANT_CONTAINER_TEST=1 or ./test -L container asks for it"
((EUID == 0)) || skip "needs root (debootstrap, chroot)"
for program in buildah debootstrap ip unshare nsenter; do
  command -v $program >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || skip "no $program here (deploy/debian-packages-container.txt)"
done
PATH=$PATH:/usr/sbin:/sbin
unshare --pid --net --mount --ipc --uts --fork true 2>/dev/null || skip "the kernel gives no namespaces here"

mkdir -p "$cache"
run=$(mktemp -d)
container=
leave() {
  [[ -n ${supervisor:-} ]] && kill -KILL "$supervisor" 2>/dev/null
  [[ -n $container ]] && b rm "$container" >/dev/null 2>&1
  rm -rf "$run"
}
trap leave EXIT
b() { buildah --root "$cache/storage" --runroot "$run/buildah" "$@"; }
export BUILDAH_ISOLATION=chroot

base=$cache/base-$suite.tar
if [[ ! -s $base ]]; then
  say "debootstrap $suite"
  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \([^ ]*\) .*/\1/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1 || true)
  debootstrap --variant=minbase "$suite" "$run/base" "${mirror:-http://deb.debian.org/debian}" >"$run/debootstrap.log" \
    || { tail -n 3 "$run/debootstrap.log"; skip "debootstrap finds no mirror"; }
  cp -r /etc/apt/apt.conf.d/. "$run/base/etc/apt/apt.conf.d/"  # How this machine reaches its mirror.
  tar -C "$run/base" --one-file-system -cf "$base.part" . && mv "$base.part" "$base"
fi
if ! b inspect --type image "localhost/debian:$suite" >/dev/null 2>&1; then
  container=$(b from scratch)
  b add -q "$container" "$base" / >/dev/null
  b commit -q "$container" "localhost/debian:$suite" >/dev/null
  b rm "$container" >/dev/null
  container=
fi

say "buildah bud, base $suite"
SECONDS=0
# The docker format, as the other has no health check.
b bud --format docker --layers --pull-never --build-arg BASE_IMAGE="localhost/debian:$suite" --build-arg REVISION=test-revision \
  --build-arg SOURCE=https://example.org/attendant -t "$image" "$root" >"$run/build.log" 2>&1 || { tail -n 30 "$run/build.log" >&2; fail "the image does not build"; }
grep '^libraries:' "$run/build.log" || true
echo "built in $SECONDS s"

say "what the image says of itself"
inspect() { b inspect --type image --format "{{$1}}" "$image"; }
expect "the user" "$(inspect .OCIv1.Config.User)" 65532:65532
expect "the entry point" "$(inspect .OCIv1.Config.Entrypoint)" "[/usr/bin/attendant-server]"
expect "the stop signal" "$(inspect .Docker.Config.StopSignal)" SIGTERM
expect "the health check" "$(inspect .Docker.Config.Healthcheck.Test)" "[CMD /usr/bin/attendant health]"
label() { inspect "index .OCIv1.Config.Labels \"org.opencontainers.image.$1\""; }
expect "the label revision" "$(label revision)" test-revision
expect "the label source" "$(label source)" https://example.org/attendant
expect "the label licenses" "$(label licenses)" Apache-2.0

say "what is in it"
container=$(b from --pull-never "$image")
files=$(b mount "$container")
expect "the label version" "attendant-server $(label version)" "$(b run "$container" -- /usr/bin/attendant-server --version | cut -d' ' -f1,2)"
bytes=$(du -sb --exclude="$files/models" "$files" | cut -f1)
printf 'without models %d MB, models %d MB\n' $((bytes / 1000000)) $(($(du -sb "$files/models" | cut -f1) / 1000000))
((bytes < max_mb * 1000000)) || fail "more than $max_mb MB without models"
for surplus in bin/sh usr/bin/sh usr/bin/perl usr/bin/python3 usr/bin/apt-get; do [[ ! -e $files/$surplus ]] || fail "/$surplus is in the image"; done
expect "files with the set-user-id bit" "$(find "$files" -xdev -type f -perm /6000)" ""
expect "files that others may write" "$(find "$files" -xdev -type f -perm /0002)" ""

say "it runs: PID 1, user 65532, read-only root, the arguments of the image"
mapfile -t command < <(inspect 'range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}{{range .OCIv1.Config.Cmd}}{{println .}}{{end' | sed '/^$/d')
mkdir -p "$files/proc" "$files/tmp"  # A runtime would make these.
unshare --pid --net --mount --ipc --uts --fork --kill-child=KILL bash -c '
  set -e
  files=$1; shift
  mount --bind "$files" "$files"
  mount -o remount,bind,ro "$files"
  mount -t proc proc "$files/proc"
  mount -t tmpfs -o mode=1777,size=1m tmpfs "$files/tmp"
  ip link set lo up
  exec chroot --userspec=65532:65532 "$files" "$@"' bash "$files" "${command[@]}" >"$run/server.log" 2>&1 &
supervisor=$!
for _ in {1..100}; do server=$(pgrep -P $supervisor || true); [[ -n $server ]] && break; sleep 0.1; done
[[ -n $server ]] || fail "it does not start"
# A command in the container, as `docker exec` and the health check do it.
inside() { nsenter --target "$server" --pid --net --mount chroot --userspec=65532:65532 "$files" "$@"; }
inside /usr/bin/attendant health --wait 60s >/dev/null || fail "not healthy after 60 s"
expect "its PID" "$(sed -n 's/^NSpid:.*\t//p' "/proc/$server/status")" 1
expect "its user" "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$server/status")" 65532
expect "its capabilities" "$(sed -n 's/^CapEff:\t//p' "/proc/$server/status")" 0000000000000000
if inside /usr/bin/attendant translate --quiet --output /written "Good morning!" 2>/dev/null; then fail "the root can be written"; fi
expect "the health check" "$(inside /usr/bin/attendant health)" SERVING
expect "a translation" "$(inside /usr/bin/attendant translate --quiet 'Good morning!')" "Guten Morgen!"
expect "what it wrote to /tmp" "$(nsenter --target "$server" --mount ls -A "$files/tmp")" ""

say "orphans become its children, and no zombies"
nsenter --target "$server" --pid --mount sh -c 'sleep 0.2 & exit 0'
sleep 1
expect "its children" "$(pgrep -P "$server" || true)" ""

say "SIGTERM under load: everything accepted is answered, exit code 0"
for i in {1..200}; do echo "Tom bought $i books."; done >"$run/lines"
inside /usr/bin/attendant translate --quiet <"$run/lines" >"$run/answers" 2>"$run/client.log" &
client=$!
sleep 0.3
kill -TERM "$server"
code=0; wait $supervisor || code=$?
supervisor=
expect "the exit code" "$code" 0
grep -q 'drained complete=true' "$run/server.log" || fail "the drain was not complete"
wait $client || cat "$run/client.log"  # Lines not yet sent at the end of the grace may be refused: that is said.
say "passed: $suite"
