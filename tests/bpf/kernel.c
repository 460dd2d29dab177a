// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel.c - the probes of the kernel's features say yes from the version on that the table names, and no
 * if the feature is denied.
 */
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/without.h"
#include "source/live/kernel.h"
#include "unit.h"

/* "5.8" as 5008 */
static long version(const char *text)
{
	char *rest;
	long major = strtol(text, &rest, 10);

	return major * 1000 + (*rest == '.' ? strtol(rest + 1, NULL, 10) : 0);
}

UNIT_CASE(probes)
{
	struct utsname name = {0};

	uname(&name);
	for (enum kernel_feature f = 0; f < KERNEL_FEATURES; f++) {
		const struct kernel_fact *fact = kernel_fact(f);

		if (kernel_has(f) != (version(name.release) >= version(fact->since)))
			UNIT_FAIL("%s on %s: %d", fact->name, name.release, kernel_has(f));
	}
}

UNIT_CASE(denied)
{
	static const char *const lists[] = {"%s", "other,%s", "%s,other", ",,%s,"};
	char list[128];

	for (enum kernel_feature f = 0; f < KERNEL_FEATURES; f++) {
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
			const char *at = strstr(lists[i], "%s");

			snprintf(list, sizeof(list), "%.*s%s%s", (int)(at - lists[i]), lists[i],
				 kernel_fact(f)->name, at + 2);
			setenv(WITHOUT_VARIABLE, list, 1);
			CHECK(kernel_denied(f) && !kernel_has(f));
			for (enum kernel_feature other = 0; other < KERNEL_FEATURES; other++)
				CHECK(other == f || !kernel_denied(other));
		}
	}
	setenv(WITHOUT_VARIABLE, "", 1);
	CHECK(!kernel_denied(KERNEL_TCX));
	unsetenv(WITHOUT_VARIABLE);
	CHECK(!kernel_denied(KERNEL_TCX));
}

int main(void)
{
	if (geteuid()) {
		printf("skip - probes: they need root\n");
		return 0;
	}
	RUN(probes);
	RUN(denied);
	return unit_status();
}
