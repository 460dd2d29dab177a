/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * steps.c - see steps.h.
 */
#include "engine/login/steps.h"

/* A phase's place in the order of the connection: TDS 8 has TLS before PRELOGIN. */
static int rank(const struct login *l, enum phase phase)
{
	if (l->strict && (phase == PHASE_PRELOGIN || phase == PHASE_TLS))
		return PHASE_PRELOGIN + PHASE_TLS - (int)phase;
	return (int)phase;
}

void step_mark(struct login *l, enum step_kind kind, enum phase phase, enum side waited_for,
	       uint64_t ts_ns)
{
	uint32_t zero_windows = l->tcp.zero_windows[SIDE_CLIENT] + l->tcp.zero_windows[SIDE_SERVER];
	uint32_t disorder = l->tcp.retransmits + l->tcp.out_of_order;
	enum phase last = l->mark_count ? (enum phase)l->marks[l->mark_count - 1].phase : phase;

	/*
	 * A message out of place (from a peer that breaks the protocol) does not reopen an earlier
	 * phase.
	 */
	if (phase != last && rank(l, phase) < rank(l, last))
		phase = last;
	/* One place is reserved for how the login ended. */
	if (l->mark_count >= LOGIN_MARKS - 1 && l->state != LOGIN_DECIDED)
		return;
	if (l->mark_count == LOGIN_MARKS)
		return;
	l->marks[l->mark_count++] = (struct mark){
		.kind = (uint8_t)kind,
		.ts_ns = ts_ns,
		.phase = (uint8_t)phase,
		.waited_for = (uint8_t)waited_for,
		.disorder = disorder > l->disorder_told,
		.zero_windows = zero_windows > l->zero_windows_told,
	};
	l->disorder_told = disorder;
	l->zero_windows_told = zero_windows;
}

/* A message of one side is complete: a step ends, and it is the other's turn. */
void step_end_message(struct login *l, enum step_kind kind, enum phase phase, enum side from,
		      enum side next, uint64_t ts_ns)
{
	step_mark(l, kind, phase, from, ts_ns);
	l->spoke_ns[from] = ts_ns;
	l->owes = next;
}

/* A phase is complete, and no segment is missing so far. */
void step_end_phase(struct login *l)
{
	if (!l->lossy && !l->clock_stepped)
		l->sound_marks = l->mark_count;
}

/* The message that ended the last step continues. */
void step_extend(struct login *l, enum side from, uint64_t ts_ns)
{
	if (l->mark_count)
		l->marks[l->mark_count - 1].ts_ns = ts_ns;
	l->spoke_ns[from] = ts_ns;
}

void step_note_attention(struct login *l)
{
	l->tcp.payload_ns[SIDE_CLIENT] = l->spoke_ns[SIDE_CLIENT];
}

bool login_joined(const struct login *l)
{
	return !l->tcp.syn_ns && !l->tcp.synack_ns;
}

enum phase login_phase(const struct login *l)
{
	switch (l->state) {
	case LOGIN_TCP:
		if (l->strict)
			return PHASE_TLS;
		return l->tcp.ack_ns || !l->tcp.syn_ns ? PHASE_PRELOGIN : PHASE_TCP;
	case LOGIN_PRELOGIN:
		return PHASE_PRELOGIN;
	case LOGIN_PRELOGIN_DONE:
		/* If a side says "not supported", there will be no TLS: MS-TDS 2.2.6.5 */
		if (l->strict || l->prelogin[SIDE_SERVER].encryption == ENCRYPT_NOT_SUP)
			return PHASE_LOGIN;
		return PHASE_TLS;
	case LOGIN_TLS:
		return PHASE_TLS;
	case LOGIN_TLS_DONE:
		return l->strict ? PHASE_PRELOGIN : PHASE_LOGIN;
	case LOGIN_SENT:
	case LOGIN_DECIDED:
		return l->answered ? PHASE_AUTH : PHASE_LOGIN;
	}
	return PHASE_LOGIN;
}

void login_decide(struct login *l, enum outcome outcome, enum confidence confidence)
{
	/*
	 * Live, if other packets had to be sent again, the network lost the ACK, and the data
	 * completed the handshake. Else the capture lacks the ACK, and the time when the handshake
	 * was over is not known.
	 */
	if (l->tcp.lacks_ack && l->env->capture && !l->tcp.retransmits && l->tcp.syns < 2) {
		l->lossy = true;
		l->sound_marks = 0;
	}
	/* With packets missing, make no statement. */
	if (l->lossy)
		outcome = OUTCOME_INCOMPLETE;
	if (outcome == OUTCOME_INCOMPLETE)
		confidence = CONFIDENCE_LOW;
	l->state = LOGIN_DECIDED;
	l->outcome = outcome;
	l->confidence = confidence;
	l->outcome_basis = confidence == CONFIDENCE_CERTAIN ? BASIS_OBSERVED : BASIS_INFERRED;
}

void login_set_method(struct login *l, enum auth_method method, enum basis basis,
		      const char *grounds)
{
	/* A token that shows less does not replace a mechanism that is already known. */
	if (l->method_basis == BASIS_OBSERVED && l->method != AUTH_WINDOWS)
		return;
	l->method = method;
	l->method_basis = basis;
	l->grounds = grounds;
}
