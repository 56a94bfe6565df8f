#!/bin/sh
# Installs Debian's packages of the image, without what a server of git does not use, and leaves no cache behind.
set -eu
cat >/etc/dpkg/dpkg.cfg.d/lockstep <<EXCLUDED
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/gitweb/*
path-exclude /usr/lib/git-core/git-http-fetch
path-exclude /usr/lib/git-core/git-http-push
path-exclude /usr/lib/git-core/git-imap-send
path-exclude /usr/lib/git-core/scalar
EXCLUDED
export DEBIAN_FRONTEND=noninteractive
dpkg --install /without-perl.deb >/dev/null
rm /without-perl.deb
apt-get update --quiet=2
# tini reaps what a killed git leaves behind, which Node does not.
apt-get install --quiet=2 --yes --no-install-recommends git tini ca-certificates libstdc++6 >/dev/null
# The package has git twice.
ln -f /usr/bin/git /usr/lib/git-core/git
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/apt /var/log/dpkg.log
getent passwd 1000 >/dev/null || useradd --uid 1000 --user-group --home-dir / --no-create-home --shell /bin/sh git
