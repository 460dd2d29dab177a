// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Logs in with tedious: HOST PORT USER PASSWORD [default|none|full|strict]; see clients.py.
'use strict';

const fs = require('fs');
const { Connection, Request } = require('tedious');

const [host, port, user, password, mode = 'default'] = process.argv.slice(2);
// tedious never offers login-only.
const encryption = { default: undefined, none: false, full: true, strict: 'strict' };
const env = process.env;

// As long as tokens of Entra ID; the password is the seed of the artificial token.
const token = password.repeat(2000).slice(0, 1800);

const authentications = {
	sql: () => ({ type: 'default', options: { userName: user, password } }),
	ntlm: () => {
		const [domain, name] = user.split('\\');
		return { type: 'ntlm', options: { userName: name, password, domain } };
	},
	// The token is in the LOGIN7.
	token: () => ({ type: 'azure-active-directory-access-token', options: { token } }),
	// The token comes after the server's FEDAUTHINFO.
	msal: () => ({
		type: 'token-credential',
		options: {
			credential: {
				getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600000 }),
			},
		},
	}),
};

function options() {
	const timeout = 1000 * (env.LOGIN_TIMEOUT || 15);
	const o = {
		connectTimeout: timeout,
		trustServerCertificate: true,
		database: env.DATABASE,
		rowCollectionOnRequestCompletion: true,
	};
	// These exclude each other.
	if (env.INSTANCE)
		o.instanceName = env.INSTANCE;
	else
		o.port = Number(port);
	if (encryption[mode] !== undefined)
		o.encrypt = encryption[mode];
	// Strict always verifies the certificate.
	if (mode === 'strict') {
		o.trustServerCertificate = false;
		o.cryptoCredentialsDetails = { ca: fs.readFileSync(env.CAFILE) };
		o.serverName = 'localhost';
	}
	return o;
}

// Node writes its key log in the background.
function leave(status) {
	setTimeout(() => process.exit(status), (env.NODE_OPTIONS || '').includes('--tls-keylog') ? 200 : 0);
}

function fail(e) {
	console.error('tedious:', e.number || '', e.message, e.cause ? e.cause.message : '');
	leave(1);
}

if (!(mode in encryption)) {
	console.error('tedious: cannot do', mode);
	process.exit(2);
}
const connection = new Connection({
	server: host,
	authentication: authentications[env.AUTH || 'sql'](),
	options: options(),
});
// tedious rewrites the message of a refused login; only this event has the server's number.
connection.on('errorMessage', (m) => console.error('tedious: server error', m.number));
connection.on('connect', (e) => {
	if (e)
		return fail(e);
	connection.execSqlBatch(new Request(env.QUERY || 'select 42 as answer', (err, count, rows) => {
		if (err)
			return fail(err);
		console.log(rows.length, 'rows');
		if (!env.QUERY && (rows.length !== 1 || rows[0][0].value !== 42))
			return fail(new Error('wrong answer'));
		connection.on('end', () => leave(0));
		connection.close();
	}));
});
connection.connect();
