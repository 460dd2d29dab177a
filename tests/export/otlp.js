// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Hold lines of --format otlp, on standard input, to OpenTelemetry's own packages. Prints a line for each fault, and
// at the end the number of spans. NODE_PATH is the folder with the packages.
"use strict";

const assert = require("assert");
const path = require("path");
const readline = require("readline");
const { JsonTraceSerializer } = require("@opentelemetry/otlp-transformer");
const { isSpanContextValid } = require("@opentelemetry/api");
const stable = require("@opentelemetry/semantic-conventions");
const incubating = require("@opentelemetry/semantic-conventions/incubating");
// The messages of OTLP, compiled from their .proto files. By its file: the package does not export it.
const { opentelemetry } = require(path.join(process.env.NODE_PATH, "@opentelemetry", "otlp-transformer", "build", "src",
	"generated", "root.js"));

const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const CONVENTIONS = new Set([stable, incubating].flatMap((names) => Object.entries(names)
	.filter(([name]) => name.startsWith("ATTR_")).map(([, value]) => value)));
const VALUES = {
	"db.system.name": [stable.DB_SYSTEM_NAME_VALUE_MICROSOFT_SQL_SERVER],
	"network.transport": [stable.NETWORK_TRANSPORT_VALUE_TCP],
	"network.type": [stable.NETWORK_TYPE_VALUE_IPV4, stable.NETWORK_TYPE_VALUE_IPV6],
};

// An attribute's value, as the SDK has it.
function plain({ stringValue, intValue, boolValue }) {
	return stringValue ?? (intValue !== undefined ? Number(intValue) : boolValue);
}

function attributes(list) {
	const found = Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
	assert.equal(Object.keys(found).length, list.length, "an attribute comes twice");
	return found;
}

function time(text) {
	assert.match(text, /^\d+$/);
	return [Number(BigInt(text) / 1000000000n), Number(BigInt(text) % 1000000000n)];
}

// A span as the SDK has it.
function readable(span, resource, scope) {
	const context = (spanId) => ({ traceId: span.traceId, spanId, traceFlags: 1 });
	return {
		name: span.name, kind: span.kind - 1, spanContext: () => context(span.spanId),
		parentSpanContext: span.parentSpanId && context(span.parentSpanId),
		startTime: time(span.startTimeUnixNano), endTime: time(span.endTimeUnixNano),
		status: { code: span.status.code ?? 0, message: span.status.message },
		attributes: attributes(span.attributes), links: [], events: [],
		resource, instrumentationScope: scope,
		droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0,
	};
}

// Without what has its default, numbers of 64 bits as text.
function normal(value, key) {
	if (Array.isArray(value))
		return value.map((one) => normal(one));
	if (value === null || typeof value !== "object")
		return key === "intValue" ? String(value) : value;
	const kept = Object.entries(value).map(([name, one]) => [name, normal(one, name)]).filter(([name, one]) =>
		!(name.startsWith("dropped") || name === "flags" || one === undefined || (name === "code" && one === 0) ||
		((name === "links" || name === "events") && !one.length)));
	return Object.fromEntries(kept);
}

function check(line) {
	const request = JSON.parse(line);
	const [{ resource, scopeSpans: [{ scope, spans }] }] = request.resourceSpans;

	// As protobuf: the same comes back. Ids are bytes there.
	const asBytes = JSON.parse(line, (key, value) =>
		/^(trace|span|parentSpan)Id$/.test(key) ? Buffer.from(value, "hex").toString("base64") : value);
	assert.equal(Request.verify(Request.fromObject(asBytes)), null);
	const back = Request.toObject(Request.decode(Request.encode(Request.fromObject(asBytes)).finish()),
		{ longs: String, bytes: String });
	assert.deepEqual(normal(back), normal(asBytes));

	// OpenTelemetry's own serializer writes the same of the same spans.
	const about = { attributes: attributes(resource.attributes) };
	const theirs = new TextDecoder().decode(JsonTraceSerializer.serializeRequest(
		spans.map((span) => readable(span, about, scope))));
	assert.deepEqual(normal(request), normal(JSON.parse(theirs)));

	const [login, ...steps] = spans, ids = new Set(spans.map((span) => span.spanId));
	assert.equal(ids.size, spans.length, "a span id comes twice");
	assert(spans.every(isSpanContextValid), "an id is not valid");
	assert(spans.every((span) => span.traceId === login.traceId), "more than one trace");
	assert.equal(login.parentSpanId, undefined);
	assert(steps.every((span) => span.parentSpanId === login.spanId), "a step belongs to another span");
	let at = steps.length && steps[0].startTimeUnixNano;
	assert(!steps.length || BigInt(at) >= BigInt(login.startTimeUnixNano), "a step begins before its login");
	for (const step of steps) {
		assert.equal(step.startTimeUnixNano, at, "a gap between steps");
		at = step.endTimeUnixNano;
	}
	if (steps.length)
		assert.equal(at, login.endTimeUnixNano, "the steps do not end where the login does");
	for (const { key, value } of [...resource.attributes, ...spans.flatMap((span) => span.attributes)]) {
		assert(key.startsWith("tdsmon.") || CONVENTIONS.has(key), key + " is no semantic convention");
		assert(!VALUES[key] || VALUES[key].includes(plain(value)), key + ": " + plain(value));
	}
	return spans.length;
}

let count = 0;
readline.createInterface({ input: process.stdin }).on("line", (line) => {
	try {
		count += check(line);
	} catch (error) {
		console.log(error.message.split("\n").slice(0, 12).join(" ") + ": " + line.slice(0, 300));
	}
}).on("close", () => console.log(count + " spans"));
