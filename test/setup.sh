#!/bin/sh
# Brings what the tests need beside Node: redis-server, openssl, curl, nginx, h2load, faketime, ssh-keygen, git, mosquitto, dovecot, PHP,
# Python, systemd's tools, promtool, groff, zsh, fish and Chromium, from Debian's packages where they are missing.
set -eu
missing=''
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
# Where nginx is may not be in the path of who is not root.
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
command -v h2load >/dev/null 2>&1 || missing="$missing nghttp2-client"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
command -v ssh-keygen >/dev/null 2>&1 || missing="$missing openssh-client"
command -v git >/dev/null 2>&1 || missing="$missing git"
PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null 2>&1 || missing="$missing mosquitto"
PATH="$PATH:/usr/sbin" command -v dovecot >/dev/null 2>&1 || missing="$missing dovecot-imapd"
command -v php >/dev/null 2>&1 || missing="$missing php-cli"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
command -v systemd-notify >/dev/null 2>&1 || missing="$missing systemd"
# Only its promtool is used.
command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
command -v groff >/dev/null 2>&1 || missing="$missing groff"
command -v zsh >/dev/null 2>&1 || missing="$missing zsh"
command -v fish >/dev/null 2>&1 || missing="$missing fish"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need$missing, and there is no apt-get to install it with: please install it by hand." >&2
  exit 1
fi
run() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null 2>&1; then sudo "$@"; else
    echo "The tests need$missing: run 'apt-get install$missing' as root." >&2
    exit 1
  fi
}
echo "Installing$missing for the tests" >&2
run apt-get update -qq
# The packaged service is not wanted: tests start servers of their own.
run env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
