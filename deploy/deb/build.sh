#!/usr/bin/env bash
# Builds the Debian package out of what was published: build.sh PUBLISHED VERSION ARCHITECTURE TO. Called by dotnet publish -t:PublishDeb.
set -euo pipefail
published=$1 version=$2 architecture=$3 to=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

mkdir -p "$stage"/{DEBIAN,etc/streamlstm,usr/bin,usr/lib/streamlstm,usr/lib/systemd/system,usr/share/doc/streamlstm,usr/share/bash-completion/completions}
cp -r "$published"/. "$stage/usr/lib/streamlstm/"
rm -f "$stage"/usr/lib/streamlstm/*.pdb "$stage"/usr/lib/streamlstm/*.xml
ln -s ../lib/streamlstm/streamlstm "$stage/usr/bin/streamlstm"
install -m 644 "$here/streamlstm.yaml" "$stage/etc/streamlstm/streamlstm.yaml"
install -m 644 "$here/../systemd/streamlstm.service" "$stage/usr/lib/systemd/system/streamlstm.service"
install -m 644 "$here/../../LICENSE" "$stage/usr/share/doc/streamlstm/copyright"
echo 'source <(streamlstm completion bash)' >"$stage/usr/share/bash-completion/completions/streamlstm"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" "$here/control" >"$stage/DEBIAN/control"
echo "Installed-Size: $(du -sk "$stage" | cut -f1)" >>"$stage/DEBIAN/control"
echo /etc/streamlstm/streamlstm.yaml >"$stage/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$stage/DEBIAN/$script"; done
chmod -R u+rwX,go+rX,go-w "$stage"

dpkg-deb --root-owner-group -Zxz -z1 --build "$stage" "$to/streamlstm_${version}_$architecture.deb"
