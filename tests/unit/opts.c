// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opts.c - the command line: which options are accepted, and which rejected.
 */
#include "lib/log.h"
#include "opts.h"
#include "ports.h"
#include "unit.h"

#define ARGV_MAX 16

/* Parse a command line given as its words after the program's name. */
static enum opts_result parse(struct opts *opts, char **words)
{
	char *argv[ARGV_MAX] = {"tdsmon"};
	int argc = 1;

	while (*words)
		argv[argc++] = *words++;
	return opts_parse(opts, argc, argv);
}

#define PARSE(opts, ...) parse(opts, (char *[]){__VA_ARGS__, NULL})

static void check_wrong(const char *value)
{
	struct opts o;

	if (PARSE(&o, "-p", (char *)value) != OPTS_USAGE)
		UNIT_FAIL("-p '%s' was taken", value);
	opts_release(&o);
}

UNIT_CASE(defaults)
{
	struct opts o;

	CHECK_INT(parse(&o, (char *[]){NULL}), OPTS_RUN);
	CHECK(port_set_has(&o.ports, 1433) && !port_set_has(&o.ports, 1434));
	CHECK_INT(o.interface_count + o.file_count, 0);
	CHECK_STR(o.format->name, "text");
	CHECK_INT(o.hook, LIVE_HOOK_TC);
	CHECK(!o.any_port && !o.mirror && !o.show_identities && !o.commands && !o.max_connections);
	CHECK(o.sql_browser);
	opts_release(&o);
}

UNIT_CASE(verbose_counts)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-v"), OPTS_RUN);
	CHECK_INT(o.verbose, 1);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-vv"), OPTS_RUN);
	CHECK_INT(o.verbose, 2);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--verbose", "--verbose", "-v"), OPTS_RUN);
	CHECK_INT(o.verbose, 3);
	opts_release(&o);
}

UNIT_CASE(sql_is_told_of_commands)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "--sql"), OPTS_RUN);
	CHECK(o.sql && o.commands);
	opts_release(&o);
}

UNIT_CASE(everything_at_once)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-i", "eth0", "--interface=lo", "-p", "1433,1500-1502", "-p65535",
			"--hook", "xdp", "--format", "json", "--any-port", "--mirror",
			"--max-connections=10", "--ring-size=64"),
		  OPTS_RUN);
	CHECK_INT(o.interface_count, 2);
	CHECK_STR(o.interfaces[0], "eth0");
	CHECK_STR(o.interfaces[1], "lo");
	CHECK(port_set_has(&o.ports, 1500) && port_set_has(&o.ports, 1502));
	CHECK(port_set_has(&o.ports, 65535) && !port_set_has(&o.ports, 1503));
	CHECK_INT(o.hook, LIVE_HOOK_XDP);
	CHECK_STR(o.format->name, "json");
	CHECK(o.any_port && o.mirror && !o.show_identities);
	CHECK_INT(o.max_connections, 10);
	CHECK_INT(o.ring_mib, 64);
	opts_release(&o);
}

UNIT_CASE(where_to_listen)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-i", "lo"), OPTS_RUN);
	CHECK(!o.listen && !o.textfile && !o.top_clients);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--listen"), OPTS_RUN);
	CHECK_STR(o.listen, "127.0.0.1:9433");
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--listen", "-i", "lo"), OPTS_RUN);
	CHECK_STR(o.listen, "127.0.0.1:9433");
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--listen", ":1", "-i", "lo", "--web-config", "w", "--textfile=t",
			"--top-clients", "256"),
		  OPTS_RUN);
	CHECK_STR(o.listen, ":1");
	CHECK_STR(o.interfaces[0], "lo");
	CHECK_STR(o.web_config, "w");
	CHECK_STR(o.textfile, "t");
	CHECK_INT(o.top_clients, 256);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-i", "lo", "--listen=[::1]:0", "--top-clients", "0"), OPTS_RUN);
	CHECK_STR(o.listen, "[::1]:0");
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--listen", "--allowed-host", "sql1.test", "--allowed-host=sql1"),
		  OPTS_RUN);
	CHECK_INT(o.allowed_host_count, 2);
	CHECK_STR(o.allowed_hosts[0], "sql1.test");
	CHECK_STR(o.allowed_hosts[1], "sql1");
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-r", "f", "--textfile", "t"), OPTS_RUN);
	opts_release(&o);
}

UNIT_CASE(browser_or_not)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "--no-sql-browser"), OPTS_RUN);
	CHECK(!o.sql_browser);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--no-sql-browser", "--sql-browser"), OPTS_RUN);
	CHECK(o.sql_browser);
	opts_release(&o);
}

UNIT_CASE(former_names_are_taken)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "--no-browser", "--identities", "--problems", "--user", "ann"),
		  OPTS_RUN);
	CHECK(!o.sql_browser && o.show_identities && o.only_problems);
	CHECK_STR(o.run_as, "ann");
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--no-sql-browser", "--browser"), OPTS_RUN);
	CHECK(o.sql_browser);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--user"), OPTS_USAGE);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-r", "f", "--user", "ann"), OPTS_USAGE);
	opts_release(&o);
}

UNIT_CASE(durations)
{
	static const struct {
		char *text;
		uint32_t ms;
	} rows[] = {
		{"1", 1},	   {"2000", 2000},     {"500ms", 500},
		{"2s", 2000},	   {"1m", 60000},      {"60m", 3600000},
		{"1h", 3600000},   {"3600s", 3600000}, {"3600000", 3600000},
		{"0", 0},	   {"0s", 0},	       {"", 0},
		{"s", 0},	   {"2 s", 0},	       {"2S", 0},
		{"2sec", 0},	   {"1.5s", 0},	       {"-1s", 0},
		{"61m", 0},	   {"2h", 0},	       {"3600001", 0},
		{"4294967297", 0}, {"71583h", 0},      {"1d", 0},
	};
	struct opts o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(PARSE(&o, "--slow-login", rows[i].text, "--slow-prelogin", "7"),
			  rows[i].ms ? OPTS_RUN : OPTS_USAGE);
		CHECK_INT(o.slow_login_ms, rows[i].ms);
		CHECK_INT(o.slow_prelogin_ms, rows[i].ms ? 7 : 0);
		opts_release(&o);
	}
}

UNIT_CASE(several_files_after_one_r)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-r", "a", "b", "-", "-p", "1", "-rc", "--read=d", "e", "--commands"),
		  OPTS_RUN);
	CHECK_INT(o.file_count, 6);
	for (size_t i = 0; i < 6; i++)
		CHECK_STR(o.files[i], ((const char *[]){"a", "b", "-", "c", "d", "e"})[i]);
	CHECK(port_set_has(&o.ports, 1) && o.commands);
	opts_release(&o);
}

UNIT_CASE(ports_given_replace_the_default)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-p", "1"), OPTS_RUN);
	CHECK(port_set_has(&o.ports, 1) && !port_set_has(&o.ports, 1433));
	opts_release(&o);
}

UNIT_CASE(tunnels)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "-i", "lo"), OPTS_RUN);
	CHECK_INT(o.decap_from, OPTS_FROM_NOWHERE);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-i", "lo", "--decap", "vxlan,geneve,gre,erspan"), OPTS_RUN);
	CHECK_INT(o.decap.vxlan[0], 4789);
	CHECK_INT(o.decap.vxlan[1], 8472);
	CHECK_INT(o.decap.geneve[0], 6081);
	CHECK_INT(o.decap.geneve[1], 0);
	CHECK(o.decap.gre && o.decap.erspan);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-i", "lo", "--decap=vxlan:5000", "--decap=geneve,geneve:7000"),
		  OPTS_RUN);
	CHECK_INT(o.decap.vxlan[0], 5000);
	CHECK_INT(o.decap.vxlan[1], 0);
	CHECK_INT(o.decap.geneve[0], 6081);
	CHECK_INT(o.decap.geneve[1], 7000);
	CHECK(!o.decap.gre && !o.decap.erspan);
	opts_release(&o);
}

UNIT_CASE(wrong_tunnels)
{
	static char *const wrong[] = {
		"",	   "mpls",	  "vxlan,",	      "VXLAN",	       "gre:1",	  "vxlan:",
		"vxlan:0", "vxlan:65536", "geneve:6081-6082", "vxlan,vxlan:1", "erspan3",
	};
	struct opts o;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (PARSE(&o, "-i", "lo", "--decap", wrong[i]) != OPTS_USAGE)
			UNIT_FAIL("--decap '%s' was taken", wrong[i]);
		opts_release(&o);
	}
}

UNIT_CASE(wrong_ports)
{
	static const char *const wrong[] = {
		"",	 "0",	    "65536", "70000", "99999999999999999999",
		"-1",	 "+1",	    " 1",    "1 ",    "1433,",
		",1",	 "1,,2",    "20-10", "1-",    "-",
		"1-2-3", "1-70000", "0-5",   "0x599", "ms-sql-s",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_wrong(wrong[i]);
}

UNIT_CASE(wrong_usage)
{
	struct opts o;
	static char *const lines[][4] = {
		{"-r", "f", "-i", "lo"},
		{"-r", "f", "--mirror"},
		{"-r", "f", "--hook=xdp"},
		{"-r", "f", "--decap", "gre"},
		{"--decap", "gre"},
		{"--nonsense"},
		{"-x"},
		{"-p"},
		{"--read"},
		{"--any-port=1"},
		{"--format", "xml"},
		{"--hook", "raw"},
		{"file.pcap"},
		{"-r", "a", "--commands", "b"},
		{"--ring-size", "0"},
		{"--ring-size", "3"},
		{"--ring-size", "2048"},
		{"--max-connections", "0"},
		{"--max-connections", "1k"},
		{"--max-connections", "99999999999"},
		{"--max-connections", "-1"},
		{"--listen", ":1", ":2"},
		{"--listen", "-r", "f"},
		{"--web-config", "w"},
		{"--allowed-host", "sql1.test:9433"},
		{"--allowed-host", "http://sql1.test"},
		{"--textfile"},
		{"--top-clients", "257"},
		{"--top-clients", "x"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *words[5] = {lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL};

		if (parse(&o, words) != OPTS_USAGE)
			UNIT_FAIL("%s %s was taken", words[0], words[1] ? words[1] : "");
		opts_release(&o);
	}
}

UNIT_CASE(help_and_version)
{
	struct opts o;

	CHECK_INT(PARSE(&o, "--help"), OPTS_HELP);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "-h"), OPTS_HELP);
	opts_release(&o);
	CHECK_INT(PARSE(&o, "--version"), OPTS_VERSION);
	opts_release(&o);
}

static const char *list_text(const char *list)
{
	static char text[PORTS_TEXT];
	struct port_set ports = {0};
	char why[PORTS_WHY];

	CHECK_INT(ports_parse(&ports, list, why), 0);
	return ports_text(&ports, text);
}

UNIT_CASE(ports_as_text)
{
	CHECK_STR(list_text("1433"), "1433");
	CHECK_STR(list_text("1502,1433,1500-1501"), "1433, 1500-1502");
	CHECK_STR(list_text("1-65535"), "1-65535");
	CHECK_STR(list_text("65535,1"), "1, 65535");
}

UNIT_CASE(many_ports_as_text_are_cut)
{
	struct port_set ports = {0};
	char text[PORTS_TEXT];

	for (int port = 10001; port < 65536; port += 2)
		port_set_add(&ports, (uint16_t)port);
	ports_text(&ports, text);
	CHECK(strlen(text) < sizeof(text));
	CHECK_STR(text + strlen(text) - 5, ", ...");
}

int main(void)
{
	/* Every wrong line produces a message. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	RUN(defaults);
	RUN(verbose_counts);
	RUN(sql_is_told_of_commands);
	RUN(everything_at_once);
	RUN(where_to_listen);
	RUN(browser_or_not);
	RUN(former_names_are_taken);
	RUN(durations);
	RUN(several_files_after_one_r);
	RUN(ports_given_replace_the_default);
	RUN(tunnels);
	RUN(wrong_tunnels);
	RUN(wrong_ports);
	RUN(wrong_usage);
	RUN(help_and_version);
	RUN(ports_as_text);
	RUN(many_ports_as_text_are_cut);
	return unit_status();
}
