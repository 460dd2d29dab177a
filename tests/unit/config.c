// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * config.c - configuration files, and the options in them.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/config.h"
#include "opts.h"
#include "unit.h"

static char path[] = "/tmp/tdsmon-config-XXXXXX";

static void file_write(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	fwrite(text, 1, len, f);
	fclose(f);
}

/* The calls, as "LINE name=value;" each. */
static char seen[512];

static int note(void *ctx, unsigned line, const char *name, const char *value)
{
	size_t used = strlen(seen);

	snprintf(seen + used, sizeof(seen) - used, value ? "%u %s=%s;" : "%u %s;", line, name,
		 value);
	return !strcmp(name, "stop") ? *(int *)ctx : 0;
}

static int read_text(const char *text)
{
	int stop = -EINVAL, err;
	char *held;

	file_write(text, strlen(text));
	seen[0] = '\0';
	err = config_read(CONFIG_BY_PATH, path, &held, note, &stop);
	free(held);
	return err;
}

UNIT_CASE(lines)
{
	CHECK_INT(read_text("# a comment\n\n  \t\nport = 1433\r\n\tname\nempty=\n a = b = c # d  \n"
			    "last=1"),
		  0);
	CHECK_STR(seen, "4 port=1433;5 name;6 empty=;7 a=b = c # d;8 last=1;");
	CHECK_INT(read_text(""), 0);
	CHECK_STR(seen, "");
	CHECK_INT(read_text("a\nstop\nb\n"), -EINVAL);
	CHECK_STR(seen, "1 a;2 stop;");
}

UNIT_CASE(what_is_no_text)
{
	char *held, *large = calloc(1, CONFIG_SIZE_MAX + 1);

	file_write("a\0b", 3);
	CHECK_INT(config_read(CONFIG_BY_PATH, path, &held, note, NULL), -EILSEQ);
	CHECK(!held);
	memset(large, '\n', CONFIG_SIZE_MAX + 1);
	file_write(large, CONFIG_SIZE_MAX + 1);
	CHECK_INT(config_read(CONFIG_BY_PATH, path, &held, note, NULL), -EFBIG);
	file_write(large, CONFIG_SIZE_MAX);
	CHECK_INT(config_read(CONFIG_BY_PATH, path, &held, note, NULL), 0);
	free(held);
	free(large);
	CHECK_INT(config_read(CONFIG_BY_PATH, "/nonexistent.conf", &held, note, NULL), -ENOENT);
	CHECK_INT(config_read(CONFIG_BY_PATH, "/tmp", &held, note, NULL), -EISDIR);
	CHECK(!held);
}

/* opts_parse() of a file and further words, "--config PATH" before them. */
static enum opts_result parse(struct opts *opts, const char *text, char *one, char *two)
{
	char *argv[] = {"tdsmon", "--config", path, one, two, NULL};
	int argc = 3 + !!one + !!two;

	file_write(text, strlen(text));
	return opts_parse(opts, argc, argv);
}

UNIT_CASE(options)
{
	struct opts o;

	CHECK_INT(parse(&o,
			"interface = eth0\ninterface = lo\nport = 1433,50000-50001\nport = 7\n"
			"any-port\nmirror = no\ncommands = yes\nformat = json\nslow-login = "
			"10\nrun-as = watcher\n",
			NULL, NULL),
		  OPTS_RUN);
	CHECK_INT(o.interface_count, 2);
	CHECK_STR(o.interfaces[0], "eth0");
	CHECK_STR(o.interfaces[1], "lo");
	CHECK(port_set_has(&o.ports, 1433) && port_set_has(&o.ports, 50001));
	CHECK(port_set_has(&o.ports, 7) && !port_set_has(&o.ports, 50002));
	CHECK(o.any_port && !o.mirror && o.commands);
	CHECK_STR(o.format->name, "json");
	CHECK_INT(o.slow_login_ms, 10);
	CHECK_INT(o.slow_prelogin_ms, 0);
	CHECK_STR(o.run_as, "watcher");
	opts_release(&o);
}

UNIT_CASE(without_ports_the_default_holds)
{
	struct opts o;

	CHECK_INT(parse(&o, "# nothing\n", NULL, NULL), OPTS_RUN);
	CHECK(port_set_has(&o.ports, 1433));
	CHECK_INT(o.interface_count, 0);
	opts_release(&o);
}

UNIT_CASE(the_command_line_takes_precedence)
{
	struct opts o;

	CHECK_INT(parse(&o, "port = 7\ninterface = eth0\nslow-login = 10\n", "-p9", "-ilo"),
		  OPTS_RUN);
	CHECK(port_set_has(&o.ports, 9) && !port_set_has(&o.ports, 7));
	CHECK_INT(o.interface_count, 1);
	CHECK_STR(o.interfaces[0], "lo");
	opts_release(&o);
	CHECK_INT(parse(&o, "port = 7\nslow-login = 10\n", "--slow-login=20", "--any-port"),
		  OPTS_RUN);
	CHECK(port_set_has(&o.ports, 7) && o.any_port);
	CHECK_INT(o.slow_login_ms, 20);
	opts_release(&o);
}

/* The same file serves watching and reading. */
UNIT_CASE(what_is_for_watching_does_not_keep_from_reading)
{
	struct opts o;

	CHECK_INT(parse(&o, "interface = eth0\nport = 7\n", "-r", "f"), OPTS_RUN);
	CHECK_INT(o.file_count, 1);
	CHECK(port_set_has(&o.ports, 7));
	opts_release(&o);
}

UNIT_CASE(wrong_lines)
{
	static const char *const wrong[] = {
		"port = 0\n",	  "port\n",	"port =\n",	    "any-port = 1\n",
		"any-port =\n",	  "nonsense\n", "nonsense = 1\n",   "-p = 1\n",
		"read = f\n",	  "help\n",	"config = other\n", "p = 1433\n",
		"format = xml\n", "= 1\n",	"version = yes\n",  "slow-login = 1d\n",
	};
	struct opts o;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (parse(&o, wrong[i], NULL, NULL) != OPTS_USAGE)
			UNIT_FAIL("%s was taken", wrong[i]);
		opts_release(&o);
	}
}

int main(void)
{
	int fd = mkstemp(path);

	/* Every wrong line produces a message. */
	if (fd < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	close(fd);
	RUN(lines);
	RUN(what_is_no_text);
	RUN(options);
	RUN(without_ports_the_default_holds);
	RUN(the_command_line_takes_precedence);
	RUN(what_is_for_watching_does_not_keep_from_reading);
	RUN(wrong_lines);
	unlink(path);
	return unit_status();
}
