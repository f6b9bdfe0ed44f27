#!/usr/bin/env bash
# Builds a stand-in for node:24-slim on machines that cannot pull images: this machine's own Debian or Ubuntu from its packages,
# Node and npm from npm. Needs root on Debian or Ubuntu, and Docker. The mirror is the one this machine uses.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
image=${1:-node:24-slim}
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ "$(id -u)" = 0 ] || { echo "building the base image needs root" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
command -v debootstrap >/dev/null || { apt-get -o DPkg::Lock::Timeout=300 update -qq; apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends debootstrap; }

# The first address that apt itself uses for Debian packages.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { echo "apt knows no Debian mirror" >&2; exit 1; }

root=$work/root
debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$mirror"

# Certificates that this machine trusts beyond Debian's: a proxy that opens TLS, for example.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null
  extra_ca='ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
fi
# What the official slim image leaves out.
rm -rf "$root"/usr/share/{doc,man,info,locale,lintian}/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log

case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "no Node for $(uname -m)" >&2; exit 1 ;; esac
local_dir=$root/usr/local
(cd "$work" && npm pack --silent "node-linux-$arch@24" npm@11 >/dev/null)
tar -xzf "$work"/node-linux-"$arch"-*.tgz -C "$work" package/bin/node
install -m 755 "$work/package/bin/node" "$local_dir/bin/node"
rm -rf "$work/package"
tar -xzf "$work"/npm-11.*.tgz -C "$work"
mkdir -p "$local_dir/lib/node_modules"
mv "$work/package" "$local_dir/lib/node_modules/npm"
ln -s node "$local_dir/bin/nodejs"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$local_dir/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$local_dir/bin/npx"
install -m 755 "$here/docker-entrypoint.sh" "$local_dir/bin/docker-entrypoint.sh"
chroot "$root" groupadd --gid 1000 node
chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node

tar -C "$root" --numeric-owner -c . | docker import \
  -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["node"]' ${extra_ca:+-c "$extra_ca"} - "$image" >/dev/null
docker run --rm --network none "$image" node --version
