{{- define "attendant.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* What never changes, for selectors. */}}
{{- define "attendant.selector" -}}
app.kubernetes.io/name: attendant
{{- if ne (include "attendant.name" .) "attendant" }}
app.kubernetes.io/instance: {{ include "attendant.name" . }}
{{- end }}
{{- end -}}

{{- define "attendant.labels" -}}
{{ include "attendant.selector" . }}
app.kubernetes.io/part-of: attendant
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "attendant.modelsClaim" -}}
{{- default (printf "%s-models" (include "attendant.name" .)) .Values.models.existingClaim -}}
{{- end -}}
