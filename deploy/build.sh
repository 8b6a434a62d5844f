# Sourced by ./quickstart and ./test: installs the packages that are missing, configures and builds one preset.

attendant_packages() { grep -hv '^#' "$@"; }

# attendant_install_packages [LIST ...]: deploy/debian-packages.txt unless said otherwise.
attendant_install_packages() {
  local missing=() package
  for package in $(attendant_packages "${@:-deploy/debian-packages.txt}"); do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { echo "These packages are missing; install them as root: ${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages ..."
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# promtool, for the tests of the alert rules: the binary alone, out of Debian's package (13: promtool; 12: prometheus, which would start a server
# and bring eleven others), into build/tools. Where it cannot be had, the test that needs it is skipped and says so.
attendant_fetch_promtool() {
  local tools=build/tools dir
  if command -v promtool >/dev/null || [[ -x $tools/promtool ]]; then return 0; fi
  mkdir -p "$tools"
  dir=$(mktemp -d "$tools/fetch.XXXXXX")
  if (cd "$dir" && { apt-get download -qq promtool || apt-get download -qq prometheus; } &&
      dpkg-deb --fsys-tarfile ./*.deb | tar -x ./usr/bin/promtool) >/dev/null 2>&1; then
    mv "$dir/usr/bin/promtool" "$tools/promtool"
  fi
  rm -rf "$dir"
}

# attendant_build PRESET [TARGET ...]
attendant_build() {
  local preset=$1; shift
  local targets=()
  (($#)) && targets=(--target "$@")
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
}

# The path of an nginx; fails if there is none. Debian keeps it where only root looks.
attendant_nginx() {
  PATH=$PATH:/usr/sbin command -v nginx || { [[ -x build/tools/usr/sbin/nginx ]] && echo "$PWD/build/tools/usr/sbin/nginx"; }
}

# nginx for the tests, unpacked into build/tools: installed, Debian's package would start a web server on port 80 of a machine that
# only wanted to run tests. Without a network the tests that need it say that they skip.
attendant_unpack_nginx() {
  attendant_nginx >/dev/null && return 0
  mkdir -p build/tools
  (cd build/tools && apt-get download -qq nginx && dpkg-deb -x nginx_*.deb . && rm nginx_*.deb) || echo "nginx cannot be had: its tests will skip." >&2
}
