// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * inside.c - connections that the engine can decrypt: their records say what those in clear say, with
 * the times of the wire; and keys that are wrong, missing or late.
 */
#include "inside.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
static struct inside test; /* too large for a stack */

/* Only a DONE, after a batch. */
static const uint8_t done[] = {0x04, 0x01, 0x00, 0x15, 0x00, 0x3e, 0x01, 0x00, 0xfd, 0x00, 0x00,
			       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

static void ask(struct inside *t)
{
	SAY(t, SIDE_CLIENT, batch_after_reset);
	SAY(t, SIDE_SERVER, done);
}

static void was_observed(const struct inside *t, enum outcome outcome)
{
	CHECK_INT(t->logins, 1);
	CHECK_INT(t->login.outcome, outcome);
	CHECK_INT(t->login.outcome_basis, BASIS_OBSERVED);
	CHECK_INT(t->login.confidence, CONFIDENCE_CERTAIN);
	CHECK_INT(t->login.auth.basis, BASIS_OBSERVED);
}

/* ---- logins ---- */

UNIT_CASE(full_encryption)
{
	for (int i = 0; i < 2; i++) {
		inside_begin(&test, versions[i], KEYS_ON_TIME);
		inside_tds7(&test, true, false);
		SAY(&test, SIDE_CLIENT, login7_sql);
		let_in(&test);
		ask(&test);
		inside_close(&test);
		was_observed(&test, OUTCOME_OK);
		CHECK_INT(test.login.encryption.effective, ENCRYPTION_FULL);
		CHECK_INT(test.login.auth.method, AUTH_SQL);
		CHECK_STR(test.login.tds.app, "app");
		CHECK_STR(test.login.auth.user, "u1");
		CHECK_INT(test.login.tds.spid, 62);
		/* With TLS 1.3 session tickets come in between. */
		CHECK_INT(test.login.phase_ns[PHASE_LOGIN], (2 + i) * MS);
		CHECK_INT(test.login.phase_ns[PHASE_AUTH], NO_NS);
		CHECK_STR(test.login.tls.cert.subject, "CN=pair.test");
		CHECK_INT(test.close.commands[COMMAND_BATCH], 1);
		CHECK_INT(test.close.commands[COMMAND_UNKNOWN], 0);
		CHECK_INT(test.close.reset_connections, 1);
		CHECK(!test.close.commands_unfollowed);
		CHECK(test.close.graceful);
		CHECK_INT(test.command_count, 1);
		CHECK_INT(test.commands[0].basis, BASIS_OBSERVED);
		CHECK_INT(test.commands[0].kind, COMMAND_BATCH);
		CHECK_INT(test.commands[0].request_bytes, sizeof(batch_after_reset));
		CHECK_INT(test.commands[0].response_bytes, sizeof(done));
		CHECK_INT(test.commands[0].total_ns, MS);
		CHECK_INT(engine_stats(test.e)->decrypt.decrypted, 1);
		inside_end(&test);
	}
}

UNIT_CASE(tds8)
{
	for (int i = 0; i < 2; i++) {
		inside_begin(&test, versions[i], KEYS_ON_TIME);
		inside_tds8(&test);
		SAY(&test, SIDE_CLIENT, login7_sql);
		let_in(&test);
		ask(&test);
		inside_close(&test);
		was_observed(&test, OUTCOME_OK);
		CHECK_INT(test.login.encryption.effective, ENCRYPTION_STRICT);
		CHECK_INT(test.login.encryption.client, ENCRYPT_OFF); /* the PRELOGIN was read */
		CHECK_STR(test.login.tds.app, "app");
		CHECK_INT(test.login.phase_ns[PHASE_PRELOGIN], (2 + i) * MS);
		CHECK_INT(test.login.phase_ns[PHASE_LOGIN], 2 * MS);
		CHECK_INT(test.close.commands[COMMAND_BATCH], 1);
		inside_end(&test);
	}
}

/* LOGIN7 is encrypted, all else is not; of a LOGIN7 in two packets the second is in clear. */
UNIT_CASE(login_only_encryption)
{
	uint8_t login7[2][sizeof(login7_sql)];

	memcpy(login7[0], login7_sql, 60);
	login7[0][1] = 0;
	login7[0][3] = 60;
	memcpy(login7[1], login7_sql, 8);
	memcpy(login7[1] + 8, login7_sql + 60, sizeof(login7_sql) - 60);
	login7[1][3] = sizeof(login7_sql) - 60 + 8;
	for (int i = 0; i < 2; i++) {
		inside_begin(&test, TLS1_2_VERSION, KEYS_ON_TIME);
		inside_tds7(&test, false, false);
		say(&test, SIDE_CLIENT, i ? login7[0] : login7_sql, i ? 60 : sizeof(login7_sql));
		if (i)
			raw(&test, SIDE_CLIENT, login7[1], sizeof(login7_sql) - 60 + 8);
		RAW(&test, SIDE_SERVER, login_success);
		RAW(&test, SIDE_CLIENT, batch_after_reset);
		RAW(&test, SIDE_SERVER, done);
		inside_close(&test);
		was_observed(&test, OUTCOME_OK);
		CHECK_INT(test.login.encryption.effective, ENCRYPTION_LOGIN);
		CHECK_STR(test.login.tds.app, "app");
		CHECK_INT(test.close.commands[COMMAND_BATCH], 1);
		CHECK(!test.close.commands_unfollowed);
		inside_end(&test);
	}
}

UNIT_CASE(refused)
{
	for (int i = 0; i < 4; i++) {
		inside_begin(&test, versions[i % 2], KEYS_ON_TIME);
		if (i < 2)
			inside_tds7(&test, true, false);
		else
			inside_tds8(&test);
		SAY(&test, SIDE_CLIENT, login7_sql);
		SAY(&test, SIDE_SERVER, login_failure);
		inside_close(&test);
		was_observed(&test, OUTCOME_REFUSED);
		CHECK(test.login.has_error);
		CHECK_INT(test.login.error.number, 18456);
		inside_end(&test);
	}
}

UNIT_CASE(redirected)
{
	inside_begin(&test, TLS1_3_VERSION, KEYS_ON_TIME);
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	SAY(&test, SIDE_SERVER, login_redirect);
	inside_close(&test);
	was_observed(&test, OUTCOME_REDIRECTED);
	CHECK_STR(test.login.redirect_host, "r1");
	CHECK_INT(test.login.redirect_port, 11003);
	inside_end(&test);
}

UNIT_CASE(ntlm)
{
	inside_begin(&test, TLS1_2_VERSION, KEYS_ON_TIME);
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_ntlm);
	SAY(&test, SIDE_SERVER, ntlm_challenge);
	SAY(&test, SIDE_CLIENT, ntlm_authenticate);
	let_in(&test);
	inside_close(&test);
	was_observed(&test, OUTCOME_OK);
	CHECK_INT(test.login.auth.method, AUTH_NTLM);
	CHECK_INT(test.login.auth.rounds, 2);
	CHECK_STR(test.login.auth.user, "u");
	CHECK_INT(test.login.phase_ns[PHASE_AUTH], 2 * MS);
	inside_end(&test);
}

/* ---- sessions ---- */

UNIT_CASE(mars)
{
	uint8_t data[16 + sizeof(batch_after_reset)] = {0x53, 8, 0, 0, sizeof(data)};

	data[8] = 1;
	data[12] = 4;
	memcpy(data + 16, batch_after_reset, sizeof(batch_after_reset));
	inside_begin(&test, TLS1_3_VERSION, KEYS_ON_TIME);
	inside_tds7(&test, true, true);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	SAY(&test, SIDE_CLIENT, smp_syn);
	say(&test, SIDE_CLIENT, data, sizeof(data));
	inside_close(&test);
	was_observed(&test, OUTCOME_OK);
	CHECK_INT(test.login.mars, 1);
	CHECK(test.close.has_mars);
	CHECK_INT(test.close.mars_basis, BASIS_OBSERVED);
	CHECK_INT(test.close.mars_sessions, 1);
	CHECK_INT(test.close.commands[COMMAND_BATCH], 1);
	CHECK_INT(test.commands[0].session, 0);
	CHECK_INT(test.commands[0].answered, 0);
	inside_end(&test);
}

UNIT_CASE(text_of_requests)
{
	inside_begin_with(&test, TLS1_3_VERSION, KEYS_ON_TIME, (struct engine_config){.sql = true});
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	ask(&test);
	CHECK_STR(test.sql, "x");
	inside_end(&test);
}

/* New keys in the middle of a session, of either version. */
UNIT_CASE(new_keys)
{
	for (int i = 0; i < 2; i++) {
		inside_begin(&test, versions[i], KEYS_ON_TIME);
		SSL_CTX_set_options(test.pair.ctx[SIDE_SERVER], SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
		inside_tds7(&test, true, false);
		SAY(&test, SIDE_CLIENT, login7_sql);
		let_in(&test);
		for (int k = 0; k < 3; k++) {
			if (i)
				SSL_key_update(test.pair.ssl[k % 2], SSL_KEY_UPDATE_REQUESTED);
			else
				SSL_renegotiate(test.pair.ssl[k % 2]);
			SSL_do_handshake(test.pair.ssl[k % 2]);
			CHECK(pair_talk(&test.pair));
			ask(&test);
		}
		inside_close(&test);
		CHECK_INT(test.close.commands[COMMAND_BATCH], 3);
		CHECK_INT(test.command_count, 3);
		CHECK_INT(test.commands[2].answered, 1);
		CHECK(!test.close.commands_unfollowed);
		inside_end(&test);
	}
}

/* Segments are missing: what comes after them is read, and says so. */
UNIT_CASE(packets_missing_in_a_session)
{
	for (int i = 0; i < 2; i++) {
		inside_begin(&test, versions[i], KEYS_ON_TIME);
		inside_tds7(&test, true, false);
		SAY(&test, SIDE_CLIENT, login7_sql);
		let_in(&test);
		ask(&test);
		test.lose = true;
		ask(&test);
		for (int k = 0; k < 20; k++) /* until what is missing is given up */
			ask(&test);
		inside_close(&test);
		was_observed(&test, OUTCOME_OK);
		CHECK(test.close.commands[COMMAND_BATCH] >= 20);
		CHECK_INT(engine_stats(test.e)->decrypt.broken, 0);
		CHECK_INT(engine_stats(test.e)->decrypt.wrong, 0);
		inside_end(&test);
	}
}

/* ---- times ---- */

/* Reading inside TLS changes no time. */
UNIT_CASE(phases_are_those_of_the_wire)
{
	static const uint32_t cuts[] = {1460, 40, 1};
	static struct inside twin;

	for (int i = 0; i < 12; i++) {
		inside_begin(&test, versions[i % 2], KEYS_ON_TIME);
		inside_engine(&twin, (struct engine_config){0});
		test.twin = &twin;
		inside_open(&test);
		test.cut = cuts[i / 2 % 3];
		if (i < 6)
			inside_tds7(&test, true, false);
		else
			inside_tds8(&test);
		SAY(&test, SIDE_CLIENT, login7_sql);
		let_in(&test);
		ask(&test);
		inside_close(&test);
		CHECK_INT(test.login.outcome, OUTCOME_OK);
		CHECK_INT(twin.login.outcome, OUTCOME_OK);
		CHECK_INT(test.login.outcome_basis, BASIS_OBSERVED);
		CHECK_INT(twin.login.outcome_basis, BASIS_INFERRED);
		for (int p = 0; p < PHASE_SESSION; p++)
			CHECK_INT(test.login.phase_ns[p], twin.login.phase_ns[p]);
		CHECK_INT(test.login.total_ns, twin.login.total_ns);
		CHECK_INT(test.login.step_count, twin.login.step_count);
		CHECK_INT(test.command_count, 1);
		CHECK_INT(twin.command_count, 1);
		CHECK_INT(test.commands[0].time_ns, twin.commands[0].time_ns);
		CHECK_INT(test.commands[0].total_ns, twin.commands[0].total_ns);
		/* The TDS header comes after the record's, and after the nonce of TLS 1.2. */
		CHECK(test.cut == 1 ||
		      test.commands[0].first_byte_ns - twin.commands[0].first_byte_ns <= MS);
		CHECK_INT(test.close.duration_ns, twin.close.duration_ns);
		engine_free(twin.e);
		inside_end(&test);
	}
}

/* ---- handshakes that fail ---- */

/* A client without the certificate that its server wants: TLS 1.3 encrypts the alert. */
UNIT_CASE(an_alert_under_encryption)
{
	for (int keys = 0; keys < 2; keys++) {
		inside_begin(&test, TLS1_3_VERSION, keys ? KEYS_ON_TIME : KEYS_NO_LOG);
		SSL_CTX_set_verify(test.pair.ctx[SIDE_SERVER],
				   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		pair_open(&test.pair, NULL);
		CHECK(!pair_talk(&test.pair));
		flag(&test, SIDE_SERVER, SEG_FIN | SEG_ACK);
		flag(&test, SIDE_CLIENT, SEG_FIN | SEG_ACK);
		CHECK_INT(test.login.outcome, OUTCOME_TLS_FAILED);
		CHECK_INT(test.login.tls.alert.from, keys ? SIDE_SERVER : SIDE_NONE);
		if (keys)
			CHECK_STR(test.login.tls.alert.description, "certificate_required");
		inside_end(&test);
	}
}

/* Another protocol inside TLS: nothing is read. */
UNIT_CASE(no_tds_inside)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: pair.test\r\n\r\n";

	for (int keys = 0; keys < 2; keys++) {
		inside_begin(&test, TLS1_3_VERSION, keys ? KEYS_ON_TIME : KEYS_NO_LOG);
		pair_open(&test.pair, NULL);
		CHECK(pair_talk(&test.pair));
		say(&test, SIDE_CLIENT, text, sizeof(text) - 1);
		say(&test, SIDE_SERVER, text, sizeof(text) - 1);
		inside_close(&test);
		CHECK_INT(test.logins, 1);
		CHECK(test.login.outcome != OUTCOME_OK);
		CHECK_INT(engine_stats(test.e)->decrypt.wrong, keys);
		inside_end(&test);
	}
}

/* TLS inside TLS, and a PRELOGIN that carries it: nobody does that. */
UNIT_CASE(tls_inside_tls)
{
	inside_begin(&test, TLS1_3_VERSION, KEYS_ON_TIME);
	inside_tds8(&test);
	SAY(&test, SIDE_CLIENT, tls_hello_carried);
	SAY(&test, SIDE_CLIENT, tls_hello_strict);
	let_in(&test);
	inside_close(&test);
	CHECK_INT(test.logins, 1);
	inside_end(&test);
}

/* ---- wrong and missing keys ---- */

static void answer(bool refuse)
{
	if (refuse) {
		SAY(&test, SIDE_SERVER, login_failure);
		flag(&test, SIDE_SERVER, SEG_FIN | SEG_ACK);
		return;
	}
	let_in(&test);
	ask(&test);
}

static struct login_record without_keys(int version, bool strict, bool refuse)
{
	inside_begin(&test, version, KEYS_NO_LOG);
	if (strict)
		inside_tds8(&test);
	else
		inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	answer(refuse);
	inside_close(&test);
	inside_end(&test);
	return test.login;
}

/* Then a login is judged as if no key log were there. */
UNIT_CASE(wrong_and_missing_keys)
{
	for (int i = 0; i < 16; i++) {
		bool strict = i & 2, refuse = i & 4, wrong = i & 8;
		struct login_record want = without_keys(versions[i & 1], strict, refuse);
		const struct decrypt_stats *stats;

		inside_begin(&test, versions[i & 1], wrong ? KEYS_WRONG : KEYS_NONE);
		if (strict)
			inside_tds8(&test);
		else
			inside_tds7(&test, true, false);
		SAY(&test, SIDE_CLIENT, login7_sql);
		answer(refuse);
		inside_close(&test);
		CHECK_INT(test.logins, 1);
		CHECK_INT(test.login.outcome, want.outcome);
		CHECK_INT(test.login.outcome_basis, want.outcome_basis);
		CHECK_INT(test.login.confidence, want.confidence);
		CHECK_INT(test.login.auth.method, want.auth.method);
		CHECK_INT(test.login.auth.basis, want.auth.basis);
		CHECK_INT(test.login.encryption.effective, want.encryption.effective);
		CHECK(!test.login.tds.app);
		CHECK_INT(test.close.commands[COMMAND_UNKNOWN], !refuse);
		stats = &engine_stats(test.e)->decrypt;
		CHECK_INT(stats->wrong, wrong);
		CHECK_INT(stats->missing, !wrong);
		CHECK_INT(stats->decrypted, 0);
		inside_end(&test);
	}
}

/* ---- keys that come late ---- */

/* A login and a command in less than a second, whose keys come after its last packet. */
static void late(int version, bool strict)
{
	inside_begin(&test, version, KEYS_LATE);
	if (strict)
		inside_tds8(&test);
	else
		inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	ask(&test);
	inside_close(&test);
	CHECK_INT(test.logins, 0);
}

static void late_was_read(uint64_t login_ns)
{
	was_observed(&test, OUTCOME_OK);
	CHECK_STR(test.login.tds.app, "app");
	CHECK_INT(test.login.phase_ns[PHASE_LOGIN], login_ns);
	CHECK_INT(test.closes, 1);
	CHECK_INT(test.close.commands[COMMAND_BATCH], 1);
	CHECK(test.close.graceful);
}

UNIT_CASE(late_keys)
{
	for (int i = 0; i < 4; i++) {
		late(versions[i & 1], i & 2);
		keys_now(&test);
		late_was_read((i == 1 ? 3 : 2) * MS);
		inside_end(&test);
	}
}

/* Held segments are counted once. */
UNIT_CASE(late_keys_count_segments_once)
{
	uint64_t segments;

	inside_begin(&test, TLS1_3_VERSION, KEYS_ON_TIME);
	inside_tds8(&test);
	inside_close(&test);
	segments = engine_stats(test.e)->segments;
	inside_end(&test);
	inside_begin(&test, TLS1_3_VERSION, KEYS_LATE);
	inside_tds8(&test);
	inside_close(&test);
	CHECK(engine_stats(test.e)->segments < segments);
	keys_now(&test);
	CHECK_INT(engine_stats(test.e)->segments, segments);
	inside_end(&test);
}

/* The run ends before the keys come, or after. */
UNIT_CASE(late_keys_at_the_end)
{
	late(TLS1_3_VERSION, false);
	engine_finish(test.e);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.login.outcome_basis, BASIS_INFERRED);
	CHECK_INT(test.closes, 1);
	CHECK_INT(engine_stats(test.e)->decrypt.missing, 1);
	inside_end(&test);
	late(TLS1_3_VERSION, false);
	engine_free(test.e); /* without a word */
	pair_release(&test.pair);
}

/* After a second nobody waits any longer. */
UNIT_CASE(keys_too_late)
{
	late(TLS1_2_VERSION, false);
	engine_tick(test.e, test.now + 500 * MS);
	CHECK_INT(test.logins, 0);
	engine_tick(test.e, test.now + 1500 * MS);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.login.outcome, OUTCOME_OK);
	CHECK_INT(test.login.outcome_basis, BASIS_INFERRED);
	CHECK_INT(engine_stats(test.e)->decrypt.missing, 1);
	keys_now(&test);
	inside_end(&test);
	CHECK_INT(test.logins, 1);
}

/* A session that goes on: its next packet ends the wait. */
UNIT_CASE(late_keys_and_the_next_packet)
{
	inside_begin(&test, TLS1_2_VERSION, KEYS_LATE);
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	test.now += 2 * S;
	ask(&test);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.login.outcome_basis, BASIS_INFERRED);
	inside_close(&test);
	inside_end(&test);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.closes, 1);
}

/* More than is held of one connection. */
UNIT_CASE(too_much_to_hold)
{
	static uint8_t large[4096 * 100];

	for (size_t at = 0; at < sizeof(large); at += 4096) {
		large[at] = 4;
		large[at + 1] = at + 4096 == sizeof(large);
		large[at + 2] = 0x10;
	}
	inside_begin(&test, TLS1_3_VERSION, KEYS_LATE);
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	SAY(&test, SIDE_CLIENT, batch_after_reset);
	for (size_t at = 0; at < sizeof(large); at += 4096)
		say(&test, SIDE_SERVER, large + at, 4096);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.login.outcome_basis, BASIS_INFERRED);
	keys_now(&test);
	inside_close(&test);
	inside_end(&test);
}

/* A new connection on the ports of one that waits. */
UNIT_CASE(late_keys_and_a_new_connection)
{
	late(TLS1_3_VERSION, false);
	inside_open(&test);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.closes, 1);
	inside_end(&test);
	CHECK_INT(test.closes, 2);
}

/* There is no room for another connection but that of one that waits. */
UNIT_CASE(late_keys_and_eviction)
{
	inside_begin_with(&test, TLS1_3_VERSION, KEYS_LATE,
			  (struct engine_config){.keys_late = true, .max_flows = 1});
	inside_tds7(&test, true, false);
	SAY(&test, SIDE_CLIENT, login7_sql);
	let_in(&test);
	ask(&test);
	test.port++;
	inside_open(&test);
	CHECK_INT(test.logins, 1);
	CHECK_INT(test.login.outcome, OUTCOME_OK);
	CHECK_INT(test.close.how, CLOSE_EVICTED);
	inside_end(&test);
}

/* Many wait at once, for keys that never come. */
UNIT_CASE(many_that_wait)
{
	inside_begin(&test, TLS1_3_VERSION, KEYS_NONE);
	inside_end(&test);
	inside_begin_with(&test, TLS1_2_VERSION, KEYS_LATE,
			  (struct engine_config){.keys_late = true});
	for (int i = 0; i < 1100; i++) {
		test.port++;
		test.now -= 3 * MS;
		inside_open(&test);
		RAW(&test, SIDE_CLIENT, tls_hello_strict);
		test.now -= MS;
		RAW(&test, SIDE_SERVER, alert_carried);
	}
	engine_tick(test.e, test.now + 2 * S);
	inside_end(&test);
	CHECK_INT(test.closes, 1101);
}

int main(void)
{
	RUN(full_encryption);
	RUN(tds8);
	RUN(login_only_encryption);
	RUN(refused);
	RUN(redirected);
	RUN(ntlm);
	RUN(mars);
	RUN(text_of_requests);
	RUN(new_keys);
	RUN(packets_missing_in_a_session);
	RUN(phases_are_those_of_the_wire);
	RUN(an_alert_under_encryption);
	RUN(no_tds_inside);
	RUN(tls_inside_tls);
	RUN(wrong_and_missing_keys);
	RUN(late_keys);
	RUN(late_keys_count_segments_once);
	RUN(late_keys_at_the_end);
	RUN(keys_too_late);
	RUN(late_keys_and_the_next_packet);
	RUN(too_much_to_hold);
	RUN(late_keys_and_a_new_connection);
	RUN(late_keys_and_eviction);
	RUN(many_that_wait);
	return unit_status();
}
