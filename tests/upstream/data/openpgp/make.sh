#!/bin/sh
# How the files beside this script were made: what can't be made at test time, since only gpg can sign at another time.
# The private keys were thrown away; running it again makes new keys and new files.
set -eu
GNUPGHOME=$(mktemp -d) && export GNUPGHOME && trap 'rm -rf "$GNUPGHOME"' EXIT
data=$GNUPGHOME/data && printf 'signed bytes\n' >"$data"
at() { when=$1 && shift && gpg --batch --yes --quiet --pinentry-mode loopback --passphrase '' --faked-system-time="$when!" "$@"; }
key() { at 20200101T000000 --quick-gen-key "$1 <$1@example.com>" "$2" sign "$3"; gpg --armor --export "$1@example.com" >"$1.asc"; }
sign() { when=$1 key=$2 out=$3 && shift 3 && at "$when" -u "$key@example.com" "$@" -o "$out.sig" --detach-sign "$data"; }

key lasting ed25519 never
sign 20240601T000000 lasting lasting
sign 20240601T000000 lasting lasting-textmode --textmode
sign 20990601T000000 lasting lasting-future
sign 20200601T000000 lasting lasting-expiring --default-sig-expire 1m

key expired ed25519 1y
sign 20200601T000000 expired expired-signed-in-time
fingerprint=$(gpg --list-keys --with-colons expired@example.com | awk -F: '/^fpr/ {print $10; exit}')
at 20200102T000000 --quick-set-expire "$fingerprint" 0 # the exported key keeps its end
sign 20230601T000000 expired expired-signed-too-late

key rsa rsa3072 never
sign 20240601T000000 rsa rsa --digest-algo SHA256
sign 20240601T000000 rsa rsa-sha1 --digest-algo SHA1
key dsa dsa2048 never
sign 20240601T000000 dsa dsa --digest-algo SHA256
key p256 nistp256 never
sign 20240601T000000 p256 p256

at 20200101T000000 --cert-digest-algo SHA1 --quick-gen-key 'sha1bound <sha1bound@example.com>' ed25519 sign never
gpg --armor --export sha1bound@example.com >sha1bound.asc
sign 20240601T000000 sha1bound sha1bound
