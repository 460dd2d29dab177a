{{- define "tdsmon.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "tdsmon.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tdsmon.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "tdsmon.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* The Secret with the web configuration; empty if the pod gets no Secret. */ -}}
{{- define "tdsmon.secret" -}}
{{- with .Values.webConfig }}
{{- if and .existingSecret .files }}
{{- fail "webConfig.existingSecret and webConfig.files are both set: choose one" }}
{{- else if .existingSecret }}{{ .existingSecret }}
{{- else if .files }}
{{- if not (hasKey .files "web.yml") }}{{ fail "webConfig.files has no web.yml: that is the web configuration" }}{{ end }}
{{- printf "%s-web" (include "tdsmon.name" $) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where it listens. It fails where that would be open to the network without a password. */ -}}
{{- define "tdsmon.address" -}}
{{- $address := .Values.listen.address }}
{{- if not (or (include "tdsmon.secret" .) .Values.insecure (hasPrefix "127." $address) (eq "::1" $address)) }}
{{- fail "the page and the metrics would be open to the node's network: set webConfig.existingSecret to a Secret with the key web.yml (or webConfig.files), or listen.address to 127.0.0.1, or listen.enabled to false; insecure=true serves without a password" }}
{{- end }}
{{- if contains ":" $address }}{{ printf "[%s]:%v" $address .Values.listen.port }}
{{- else }}{{ printf "%s:%v" ($address | default "$(NODE_IP)") .Values.listen.port }}{{ end }}
{{- end }}
