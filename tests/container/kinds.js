// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Validate Kubernetes objects, a JSON array on standard input, by the schemas of Kubernetes' own API and of the
// Prometheus Operator's. Prints a line for each fault.
// NODE_PATH is the folder with their packages.
"use strict";

const path = require("path");

const KINDS = {
	"v1 ConfigMap": "kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap",
	"v1 Secret": "kubernetes-models/_schemas/IoK8sApiCoreV1Secret",
	"v1 Service": "kubernetes-models/_schemas/IoK8sApiCoreV1Service",
	"apps/v1 DaemonSet": "kubernetes-models/_schemas/IoK8sApiAppsV1DaemonSet",
	"monitoring.coreos.com/v1 ServiceMonitor":
		"@kubernetes-models/prometheus-operator/_schemas/MonitoringCoreosComV1ServiceMonitor",
};

// The schemas accept keys that they do not know, as a typing error makes one. Their validators, which are
// compiled, read the keys that they know and no others: so the ones that nothing reads are unknown.
function watched(value, at, unread) {
	if (value === null || typeof value !== "object")
		return value;
	const inner = Array.isArray(value) ? [] : {};
	for (const [key, one] of Object.entries(value)) {
		inner[key] = watched(one, at + "/" + key, unread);
		unread.add(at + "/" + key);
	}
	return new Proxy(inner, {
		get(object, key) {
			unread.delete(at + "/" + String(key));
			return object[key];
		},
	});
}

for (const object of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
	const name = object.apiVersion + " " + object.kind;
	if (!KINDS[name]) {
		console.log(name + ": not a kind that this test knows");
		continue;
	}
	// By its file: the packages do not export their schemas.
	const { validate } = require(path.join(process.env.NODE_PATH, KINDS[name])), unread = new Set();
	if (!validate(watched(object, "", unread)))
		for (const fault of validate.errors)
			console.log(name + ": " + fault.instancePath + ": " + fault.keyword + " " + JSON.stringify(fault.params));
	for (const at of unread)
		if (![...unread].some((other) => at.startsWith(other + "/")))
			console.log(name + ": " + at + ": unknown key");
}
