#!/bin/sh
# Builds the Debian package from a clone in which `npm ci` has been run: deploy/debian/build.sh [DIRECTORY FOR THE PACKAGE]
#
# dpkg-deb is all that it needs, and no network: the production dependencies are those of the clone's node_modules, which package-lock.json
# fixes. The package is for every architecture, as nothing in it is compiled.
set -eu
umask 022
root="$(cd "$(dirname "$0")/../.." && pwd)"
out="${1:-$root}"
name=peter-sslers-proxy

command -v dpkg-deb >/dev/null || { echo "dpkg-deb is needed: apt-get install dpkg" >&2; exit 1; }
cd "$root"
if ! sha256sum --quiet --check dist/.sources 2>/dev/null; then
  echo "dist/ is missing, or not built from lib/ as it is: run 'npm ci' or 'npm run build' first" >&2
  exit 1
fi
version="$(node -p 'require("./package.json").version')-1"
# All files get the time of the last change, so that the same sources give the same package.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y package.json)}"
export SOURCE_DATE_EPOCH

stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
lib="$stage/usr/lib/$name"
doc="$stage/usr/share/doc/$name"
mkdir -p "$lib" "$doc" "$stage/usr/bin" "$stage/DEBIAN"

# The program.
cp -R bin package.json "$lib/"
mkdir "$lib/dist"
tar -C dist --exclude=.sources --exclude='*.map' --exclude='*.d.ts' -cf - . | tar -C "$lib/dist" -xf -
ln -s "../lib/$name/bin/$name" "$stage/usr/bin/$name"

# What it depends on, each package without those below it: they have lines of their own. What only people and compilers read stays out.
npm ls --offline --omit=dev --all --parseable | sed '1d' | while read -r package; do
  to="$lib/${package#"$root/"}"
  mkdir -p "$to"
  tar -C "$package" -cf - \
    --exclude=./node_modules --exclude='.[a-z]*' --exclude='*.map' --exclude='*.d.ts' --exclude='*.d.mts' --exclude='*.d.cts' \
    --exclude='[A-KM-Z]*.md' --exclude='*.html' --exclude='*.sh' --exclude=./bin --exclude='./bin.*js' \
    --exclude=./docs --exclude=./test --exclude=./tests --exclude=./benchmarks . |
    tar -C "$to" -xf -
done

# Its surroundings.
mkdir -p "$stage/usr/lib/systemd/system"
install -m 644 deploy/systemd/* "$stage/usr/lib/systemd/system/"
install -D -m 644 deploy/logrotate/$name "$stage/etc/logrotate.d/$name"
# A URL in it may hold a password; the service's group is let in when there is one (postinst).
install -D -m 640 deploy/debian/config.yaml "$stage/etc/$name/config.yaml"

# Documentation, as the policy wants it.
mkdir -p "$stage/usr/share/man/man1"
gzip -9n <docs/$name.1 >"$stage/usr/share/man/man1/$name.1.gz"
cp README.md "$doc/"
mkdir "$doc/docs"
cp -R docs/*.md docs/*.png docs/*.svg docs/decisions "$doc/docs/"
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
date="$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" deploy/debian/changelog.in | gzip -9n >"$doc/changelog.Debian.gz"
{
  cat deploy/debian/copyright.head
  sed -e 's/^$/./' -e 's/^/ /' LICENSE.txt
} >"$doc/copyright"

# What dpkg wants to know.
for script in postinst prerm postrm; do
  install -m 755 "deploy/debian/scripts/$script" "$stage/DEBIAN/$script"
done
printf '/etc/%s\n' "$name/config.yaml" "logrotate.d/$name" >"$stage/DEBIAN/conffiles"
find "$stage" -mindepth 1 -type d -exec chmod 755 {} +
find "$lib" "$doc" "$stage/usr/share/man" -type f -exec chmod 644 {} +
chmod 755 "$lib/bin/$name"
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
size="$(du -sk --apparent-size --exclude=DEBIAN "$stage" | cut -f1)"
sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$size/" deploy/debian/control.in >"$stage/DEBIAN/control"

find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$stage" "$out/${name}_${version}_all.deb"
