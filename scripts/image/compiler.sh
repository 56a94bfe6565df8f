#!/bin/sh
# Installs the C compiler for the architecture of the image, as Docker names it: amd64 or arm64. It also installs `strip`
# for that architecture, and the program that makes Debian packages.
set -eu
here=$(dpkg --print-architecture)
case "${1:-$here}" in
  "$here") packages="gcc libc6-dev" ;;
  amd64) packages="gcc libc6-dev gcc-x86-64-linux-gnu libc6-dev-amd64-cross" ;;
  arm64) packages="gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
  *) echo "the image is for amd64 or arm64, not for $1" >&2 && exit 1 ;;
esac
apt-get update --quiet=2
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $packages >/dev/null
