// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * fetch.c - the client of a running tdsmon, in a process of its own, by libcurl. Only this process
 * loads that library and the seventeen that it needs: they would double the start of every tdsmon,
 * and be mapped into the one that parses packets.
 */
#define CURL_DISABLE_TYPECHECK

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "top/intake.h"

#define FETCH_CONNECT_S 10L
#define FETCH_ALIVE_S	20L /* records or heartbeats come every second */

struct curl_calls {
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*perform)(CURL *curl);
	CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
	const char *(*strerror)(CURLcode code);
};

static void __attribute__((noreturn)) fail(const char *why)
{
	dprintf(STDERR_FILENO, "tdsmon: %s\n", why);
	_exit(1);
}

static void load(struct curl_calls *calls)
{
	static const char *const names[] = {"libcurl-gnutls.so.4", "libcurl.so.4"};
	void *lib = NULL;

	for (size_t i = 0; !lib && i < sizeof(names) / sizeof(names[0]); i++)
		lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		fail("libcurl is not installed: apt-get install libcurl3-gnutls");
	*(void **)&calls->init = dlsym(lib, "curl_easy_init");
	*(void **)&calls->setopt = dlsym(lib, "curl_easy_setopt");
	*(void **)&calls->perform = dlsym(lib, "curl_easy_perform");
	*(void **)&calls->getinfo = dlsym(lib, "curl_easy_getinfo");
	*(void **)&calls->strerror = dlsym(lib, "curl_easy_strerror");
	if (!calls->init || !calls->setopt || !calls->perform || !calls->getinfo ||
	    !calls->strerror)
		fail("libcurl lacks a function that is needed");
}

static size_t pass_on(char *data, size_t size, size_t count, void *ctx)
{
	size_t len = size * count;

	(void)ctx;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(STDOUT_FILENO, data + done, len - done);

		if (n < 0 && errno != EINTR)
			_exit(0); /* nobody reads any more */
		done += n > 0 ? (size_t)n : 0;
	}
	return len;
}

static const char *reason(const struct curl_calls *calls, CURL *curl, CURLcode code,
			  const char *detail)
{
	long status = 0;

	calls->getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 401 || status == 429)
		return "it wants a user and a password: name a file with NAME:PASSWORD by "
		       "--user-file";
	if (status == 404)
		return "it serves no /records: is it a tdsmon of this version?";
	if (status == 421)
		return "it does not answer to this host name: use its address, or its "
		       "--allowed-host";
	if (code == CURLE_OK)
		return "it ended the connection";
	return *detail ? detail : calls->strerror(code);
}

void fetch_run(const struct intake_source *source)
{
	char url[1024], detail[CURL_ERROR_SIZE] = "";
	struct curl_calls calls = {0};
	CURLcode code;
	CURL *curl;

	load(&calls);
	curl = calls.init();
	if (!curl)
		fail("out of memory");
	if (snprintf(url, sizeof(url), "%s/records",
		     source->socket ? "http://localhost" : source->url) >= (int)sizeof(url))
		fail("the URL is too long");
	calls.setopt(curl, CURLOPT_URL, url);
	if (source->socket)
		calls.setopt(curl, CURLOPT_UNIX_SOCKET_PATH, source->socket);
	if (source->user) {
		calls.setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		calls.setopt(curl, CURLOPT_USERPWD, source->user);
	}
	if (source->ca_file)
		calls.setopt(curl, CURLOPT_CAINFO, source->ca_file);
	calls.setopt(curl, CURLOPT_PROXY, ""); /* a monitor is asked directly */
	calls.setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	calls.setopt(curl, CURLOPT_FAILONERROR, 1L);
	calls.setopt(curl, CURLOPT_NOSIGNAL, 1L);
	calls.setopt(curl, CURLOPT_CONNECTTIMEOUT, FETCH_CONNECT_S);
	calls.setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	calls.setopt(curl, CURLOPT_LOW_SPEED_TIME, FETCH_ALIVE_S);
	calls.setopt(curl, CURLOPT_ERRORBUFFER, detail);
	calls.setopt(curl, CURLOPT_WRITEFUNCTION, pass_on);
	code = calls.perform(curl);
	fail(reason(&calls, curl, code, detail));
}
