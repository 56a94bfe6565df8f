#!/bin/sh
# Puts what the image needs besides Debian's packages into a directory: the program, its modules, Node without its
# symbols, and a package that stands in for perl. First argument: the architecture of the image, as Docker names it.
set -eu
target=${1:-$(dpkg --print-architecture)}
image=$2
case "$target" in
  amd64) node=x64 triplet=x86_64-linux-gnu machine=3e00 ;;
  arm64) node=arm64 triplet=aarch64-linux-gnu machine=b700 ;;
esac
# Two bytes in the head of a program name its architecture (elf(5), e_machine).
if [ "$(od -A n -t x1 -j 18 -N 2 "$image/usr/local/bin/node" | tr -d ' ')" != "$machine" ]; then
  echo "the image is for $target, but the Node in BASE is not; name a BASE that is there for $target" >&2
  exit 1
fi
node scripts/native.mjs "$node"
mkdir -p "$image/lockstep/dist/native"
node scripts/image/modules.mjs "$image/lockstep"
cp -R package.json LICENSE proto migrations "$image/lockstep"
rm "$image/lockstep/proto/landed.txtpb"
cp dist/*.js dist/*.js.map dist/proto.json dist/LICENSES.txt "$image/lockstep/dist"
cp -R "dist/native/$node" "$image/lockstep/dist/native"
strip=$(command -v "$triplet-strip" || command -v strip)
"$strip" "$image/usr/local/bin/node"

# git's package depends on perl, for programs of git that no server calls. They would be a fifth of the image. The perl
# that every Debian has (perl-base) stays.
mkdir -p /tmp/stand-in/DEBIAN
cat >/tmp/stand-in/DEBIAN/control <<CONTROL
Package: lockstep-without-perl
Version: 1
Architecture: all
Maintainer: Lockstep
Provides: perl, liberror-perl
Description: stands in for perl, which git needs only for programs that no server calls
CONTROL
dpkg-deb --build --root-owner-group /tmp/stand-in "$image/without-perl.deb" >/dev/null
