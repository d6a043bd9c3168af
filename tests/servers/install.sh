#!/bin/sh
# Installs what is missing of the servers that some tests run against: Azurite (an Azure Blob Storage), for which it
# takes Node.js and npm, nginx, and GnuPG (not a server, but a stranger too). Into FOLDER and, as root on Debian and Ubuntu, into the system. Quick when all is
# there. Nothing of it is needed to run gitopsreg. What can't be installed is told; the tests that need it are skipped
# then, and fail where CI=true.
set -eu

FOLDER=${1:?"write the folder to install into: install.sh FOLDER"}
WANTED=$(dirname "$0")/package.json

# The program is there, or is after its package was installed.
system() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] && return
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "$1 is missing, so some tests can't run: install it (Debian and Ubuntu: 'apt-get install $2')" >&2
		return 1
	fi
	echo "Installing $2 (once) …"
	export DEBIAN_FRONTEND=noninteractive
	export RUNLEVEL=1 # nothing is started
	get="apt-get install -qq --yes --no-install-recommends $2"
	$get >/dev/null 2>&1 || { apt-get update -qq && $get; } >/dev/null ||
		{ echo "$2 could not be installed, so some tests can't run" >&2; return 1; }
}

azurite() {
	cmp -s "$WANTED" "$FOLDER/installed.json" && return
	system node nodejs && system npm npm || return
	echo "Installing Azurite (once) …"
	mkdir -p "$FOLDER"
	cp "$WANTED" "$FOLDER/package.json"
	# Packages may run no scripts: these need none.
	npm install --prefix "$FOLDER" --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel error >/dev/null ||
		{ echo "Azurite could not be installed, so some tests can't run" >&2; return 1; }
	cp "$WANTED" "$FOLDER/installed.json"
}

azurite || true
system nginx nginx-light || true
system gpg gnupg || true
