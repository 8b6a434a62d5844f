# Sourced by ./quickstart and ./test: installs the packages that are missing, configures and builds one preset.

attendant_packages() { grep -v '^#' deploy/debian-packages.txt; }

attendant_install_packages() {
  local missing=() package
  for package in $(attendant_packages); do
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

# attendant_build PRESET [TARGET ...]
attendant_build() {
  local preset=$1; shift
  local targets=()
  (($#)) && targets=(--target "$@")
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
}
