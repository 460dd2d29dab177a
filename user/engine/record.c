// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * record.c - the words of the record contract, from the X-macros that name the enums.
 */
#include <assert.h>
#include <linux/types.h>

#include "engine/record.h"
#include "segment.h"

#define RECORD_WORD(name, word) [name] = word,
#define RECORD_NAME(function, type, list)                                                          \
	const char *function(type value)                                                           \
	{                                                                                          \
		static const char *const words[] = {list(RECORD_WORD)};                            \
		assert((size_t)value < sizeof(words) / sizeof(words[0]));                          \
		return words[value];                                                               \
	}

RECORD_NAME(vantage_name, enum vantage, VANTAGES)
RECORD_NAME(outcome_name, enum outcome, OUTCOMES)
RECORD_NAME(phase_name, enum phase, PHASES)
RECORD_NAME(side_name, enum side, SIDES)
RECORD_NAME(encrypt_option_name, enum encrypt_option, ENCRYPT_OPTIONS)
RECORD_NAME(encryption_name, enum encryption, ENCRYPTIONS)
RECORD_NAME(auth_method_name, enum auth_method, AUTH_METHODS)
RECORD_NAME(basis_name, enum basis, BASES)
RECORD_NAME(confidence_name, enum confidence, CONFIDENCES)
RECORD_NAME(verdict_class_name, enum verdict_class, VERDICT_CLASSES)
RECORD_NAME(close_how_name, enum close_how, CLOSE_HOWS)
RECORD_NAME(command_kind_name, enum command_kind, COMMAND_KINDS)
RECORD_NAME(dependency_kind_name, enum dependency_kind, DEPENDENCY_KINDS)
RECORD_NAME(step_kind_name, enum step_kind, STEP_KINDS)
RECORD_NAME(wait_part_name, enum wait_part, WAIT_PARTS)
RECORD_NAME(errorlog_timer_name, enum errorlog_timer, ERRORLOG_TIMERS)

#define VERDICT_WORD(verdict, word, class)  [verdict] = word,
#define VERDICT_CLASS(verdict, word, class) [verdict] = class,

const char *verdict_name(enum verdict verdict)
{
	static const char *const words[] = {VERDICTS(VERDICT_WORD)};

	assert(verdict < VERDICT_COUNT);
	return words[verdict];
}

enum verdict_class verdict_class_of(enum verdict verdict)
{
	static const uint8_t classes[] = {VERDICTS(VERDICT_CLASS)};

	assert(verdict < VERDICT_COUNT);
	return (enum verdict_class)classes[verdict];
}

const char *tunnel_kind(uint32_t tunnel)
{
	if (tunnel >= TUNNEL_GRE || tunnel == TUNNEL_GRE_NO_KEY ||
	    (tunnel >= TUNNEL_GRE_HASH && tunnel < TUNNEL_VXLAN))
		return "gre";
	if (tunnel >= TUNNEL_GENEVE)
		return "geneve";
	if (tunnel >= TUNNEL_VXLAN)
		return "vxlan";
	return tunnel == TUNNEL_NONE ? NULL : "erspan";
}

int64_t tunnel_id(uint32_t tunnel)
{
	if (tunnel >= TUNNEL_GRE)
		return tunnel - TUNNEL_GRE;
	if (tunnel >= TUNNEL_VXLAN)
		return tunnel & 0xffffff;
	if (tunnel >= TUNNEL_ERSPAN && tunnel < TUNNEL_GRE_HASH)
		return tunnel - TUNNEL_ERSPAN;
	return -1;
}

#define FEATURE_WORD(id, word) [id] = word,

const char *feature_name(uint8_t id)
{
	static const char *const words[] = {FEATURES(FEATURE_WORD)};

	return id < sizeof(words) / sizeof(words[0]) ? words[id] : NULL;
}
