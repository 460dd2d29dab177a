// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_body.c - texts that several HTTP responses send at the same time.
 */
#include <stdlib.h>

#include "http/http.h"

struct http_body {
	struct strbuf text;
	size_t holders;
};

struct http_body *http_body_new(struct strbuf *text)
{
	struct http_body *body = malloc(sizeof(*body));

	if (!body)
		return NULL;
	*body = (struct http_body){*text, 1};
	*text = (struct strbuf){0};
	return body;
}

void http_body_hold(struct http_body *body)
{
	body->holders++;
}

void http_body_release(struct http_body *body)
{
	if (!body || --body->holders)
		return;
	strbuf_release(&body->text);
	free(body);
}

bool http_body_is_mine(const struct http_body *body)
{
	return body->holders == 1;
}

struct strbuf *http_body_text(struct http_body *body)
{
	return &body->text;
}
