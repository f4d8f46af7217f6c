#!/bin/sh
# Installs the Debian packages of the libraries that the programs here compare with. Needs root, apt-get and a network.
#
#   packages.sh [--with-mkl]
#
# --with-mkl: also Intel's MKL, from Debian's non-free section and under Intel's licence; the list of that section is kept
# apart from the system's, whose sources stay as they are, and MKL does not become the system's BLAS.
# Says on stderr what could not be had; the exit code is 0 where everything was installed, else 1.
set -u

packages="libeigen3-dev libgraphblas-dev libxsmm-dev libopenblas0-pthread"
mkl=no
for word in "$@"; do
  case "$word" in
    --with-mkl) mkl=yes ;;
    *) echo "packages.sh: unknown option $word; there is: --with-mkl" >&2; exit 2 ;;
  esac
done

fail() {
  echo "packages.sh: $1" >&2
  exit 1
}
command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get: install these another way: $packages"
[ "$(id -u)" = 0 ] || fail "only root may install packages: $packages"
export DEBIAN_FRONTEND=noninteractive

missing() {
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
  done
}

code=0
updated=no
for package in $(missing $packages); do
  # The lists are fetched once, and only where they are too old or not there.
  if ! apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1; then
    [ "$updated" = yes ] || apt-get update >/dev/null 2>&1
    updated=yes
    if ! log=$(apt-get install -y --no-install-recommends "$package" 2>&1); then
      echo "packages.sh: $package could not be installed: $(echo "$log" | grep '^E:' | head -n 1)" >&2
      code=1
    fi
  fi
done

if [ "$mkl" = yes ] && [ -n "$(missing libmkl-rt)" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    grep -v security | head -n 1)
  [ -n "$mirror" ] || fail "MKL could not be installed: the system's sources name no mirror of Debian"
  echo "deb [signed-by=$keys] $mirror $release main non-free" >"$folder/sources.list"
  mkdir -p "$folder/lists/partial"
  set -- -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$folder/lists"
  echo 'libmkl-rt libmkl-rt/use-as-default-blas-lapack boolean false' | debconf-set-selections
  if ! log=$(apt-get "$@" update 2>&1 && apt-get "$@" install -y --no-install-recommends \
    libmkl-rt libmkl-intel-lp64 libmkl-sequential libmkl-core libmkl-def libmkl-avx2 libmkl-avx512 2>&1); then
    echo "packages.sh: MKL could not be installed: $(echo "$log" | grep '^E:' | head -n 1)" >&2
    code=1
  fi
fi
exit $code
