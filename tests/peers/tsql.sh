#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Logs in with FreeTDS's tsql: HOST PORT USER PASSWORD [default|none|login|full]; see clients.py.
set -u
host=$1 port=$2 user=$3 password=$4
case ${5-default} in
default) encryption= ;;
none) encryption='encryption = off' ;;
# By itself FreeTDS only asks to encrypt the login; the server may raise that.
login) encryption='encryption = request' ;;
full) encryption='encryption = require' ;;
*) echo "tsql: cannot do $5" >&2; exit 2 ;;
esac
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
where="port = $port"
[ -z "${INSTANCE-}" ] || where="instance = $INSTANCE"
cat >"$dir/freetds.conf" <<END
[server]
	host = $host
	$where
	tds version = ${TDSVER:-7.4}
	$encryption
END
# A user name with a backslash makes FreeTDS use NTLM, so AUTH needs no setting of its own.
printf '%s\ngo\nexit\n' "${QUERY:-select 42 as answer}" |
	FREETDSCONF=$dir/freetds.conf tsql -S server -U "$user" -P "$password" \
		${DATABASE:+-D "$DATABASE"} >"$dir/out" 2>&1
status=$?
cat "$dir/out"
[ $status = 0 ] || exit 1
# tsql's exit status does not show a failed query.
grep -q '^Msg [0-9]* (severity 1[1-9]' "$dir/out" && exit 1
[ -n "${QUERY-}" ] || grep -qw 42 "$dir/out"
