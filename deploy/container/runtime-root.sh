#!/bin/sh
# runtime-root.sh ROOT PROGRAM...
# Puts into ROOT the shared libraries that the programs of ROOT (paths inside it) load, nothing else of Debian, and says where each comes
# from: the package's entry in var/lib/dpkg/status.d, where image scanners look for it, and its licence.
set -eu
root=$1; shift
cd "$root"
for program; do ldd "$root$program"; done >/tmp/ldd
if grep 'not found' /tmp/ldd; then echo "runtime-root.sh: a library is missing" >&2; exit 1; fi
# "libx.so => /lib/x86_64-linux-gnu/libx.so (0x...)" and the loader itself: "/lib64/ld-linux-x86-64.so.2 (0x...)".
awk '$2 == "=>" { print $3 } $1 ~ "^/" { print $1 }' /tmp/ldd | sort -u >/tmp/libraries

mkdir -p var/lib/dpkg/status.d usr/share/doc
while read -r library; do
  # The loader looks at the path by which a library is known; the file behind it may have another name.
  mkdir -p ".${library%/*}"
  cp --dereference "$library" ".$library"
  # dpkg knows some files by their path before /lib became a link to /usr/lib.
  file=$(readlink -f "$library")
  owner=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null || dpkg -S "$library")
  echo "${owner%%:*}"
done </tmp/libraries | sort -u >/tmp/packages
while read -r package; do
  dpkg -s "$package" >"var/lib/dpkg/status.d/$package"
  mkdir -p "usr/share/doc/$package"
  cp --dereference "/usr/share/doc/$package/copyright" "usr/share/doc/$package/"
done </tmp/packages
cp /etc/os-release etc/

echo "libraries: $(wc -l </tmp/libraries), of the packages: $(tr '\n' ' ' </tmp/packages)"
