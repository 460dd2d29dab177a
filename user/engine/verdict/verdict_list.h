/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_list.h - the verdicts on logins and on the ends of connections, in the order of
 * docs/VERDICTS.md: X(enumerator, "name in JSON", class). Part of record.h.
 */
#ifndef TDSMON_VERDICT_LIST_H
#define TDSMON_VERDICT_LIST_H

/* As a class in the list: the login's outcome and its time say it. */
#define VERDICT_BY_OUTCOME VERDICT_CLASS_COUNT

#define VERDICTS(X)                                                                                \
	X(V_NONE, NULL, VERDICT_UNKNOWN)                                                           \
	/* Logins that succeeded. */                                                               \
	X(V_OK, "ok", VERDICT_OK)                                                                  \
	X(V_ERROR_AFTER_LOGIN, "error_after_login", VERDICT_BY_OUTCOME)                            \
	X(V_GUESS_SUCCEEDED, "guess_succeeded", VERDICT_BY_OUTCOME)                                \
	X(V_SLOW_PRELOGIN, "slow_prelogin", VERDICT_SLOW)                                          \
	X(V_SERVER_STALLED, "server_stalled", VERDICT_BY_OUTCOME)                                  \
	X(V_WORKER_THREADS, "worker_threads", VERDICT_BY_OUTCOME)                                  \
	X(V_CPU_THROTTLED, "cpu_throttled", VERDICT_BY_OUTCOME)                                    \
	X(V_SLOW_TLS, "slow_tls", VERDICT_SLOW)                                                    \
	X(V_SLOW_LOGIN, "slow_login", VERDICT_SLOW)                                                \
	X(V_SLOW_LOGIN7, "slow_login7", VERDICT_SLOW)                                              \
	X(V_SLOW_TICKET, "slow_ticket", VERDICT_SLOW)                                              \
	X(V_SLOW_TOKEN, "slow_token", VERDICT_BY_OUTCOME)                                          \
	X(V_SLOW_TOKEN_CHECK, "slow_token_check", VERDICT_SLOW)                                    \
	X(V_SLOW_CLIENT, "slow_client", VERDICT_SLOW)                                              \
	X(V_SLOW_DOMAIN_CONTROLLER, "slow_domain_controller", VERDICT_SLOW)                        \
	X(V_SERVER_BUSY_WITH_LOGIN, "server_busy_with_login", VERDICT_SLOW)                        \
	X(V_DC_SLOW, "dc_slow", VERDICT_BY_OUTCOME)                                                \
	X(V_DC_FAR, "dc_far", VERDICT_BY_OUTCOME)                                                  \
	X(V_DC_QUEUE, "dc_queue", VERDICT_BY_OUTCOME)                                              \
	X(V_DC_UNREACHABLE, "dc_unreachable", VERDICT_BY_OUTCOME)                                  \
	X(V_SLOW_LDAP, "slow_ldap", VERDICT_BY_OUTCOME)                                            \
	X(V_SLOW_KDC, "slow_kdc", VERDICT_BY_OUTCOME)                                              \
	X(V_KERBEROS_ERROR, "kerberos_error", VERDICT_BY_OUTCOME)                                  \
	X(V_SLOW_DNS, "slow_dns", VERDICT_BY_OUTCOME)                                              \
	X(V_SLOW_BROWSER, "slow_browser", VERDICT_SLOW)                                            \
	X(V_DEAD_ADDRESS_FIRST, "dead_address_first", VERDICT_SLOW)                                \
	X(V_SLOW_CONNECT, "slow_connect", VERDICT_SLOW)                                            \
	X(V_SYN_LOST, "syn_lost", VERDICT_SLOW)                                                    \
	X(V_LISTEN_QUEUE_FULL, "listen_queue_full", VERDICT_BY_OUTCOME)                            \
	X(V_PORT_REUSED, "port_reused", VERDICT_BY_OUTCOME)                                        \
	X(V_PACKETS_LOST, "packets_lost", VERDICT_SLOW)                                            \
	X(V_ZERO_WINDOW, "zero_window", VERDICT_SLOW)                                              \
	X(V_SLOW_NETWORK, "slow_network", VERDICT_SLOW)                                            \
	X(V_SLOW, "slow", VERDICT_SLOW)                                                            \
	X(V_REDIRECTED, "redirected", VERDICT_BY_OUTCOME)                                          \
	/* Refused by the server. */                                                               \
	X(V_LOGIN_FAILED, "login_failed", VERDICT_FAILED)                                          \
	X(V_LOGIN_REFUSED, "login_refused", VERDICT_FAILED)                                        \
	X(V_GUESSING, "guessing", VERDICT_FAILED)                                                  \
	X(V_NULL_CREDENTIALS, "null_credentials", VERDICT_FAILED)                                  \
	X(V_UNTRUSTED_DOMAIN, "untrusted_domain", VERDICT_FAILED)                                  \
	X(V_SERVER_STARTING, "server_starting", VERDICT_FAILED)                                    \
	X(V_SERVER_STOPPING, "server_stopping", VERDICT_FAILED)                                    \
	X(V_NO_THREAD, "no_thread", VERDICT_FAILED)                                                \
	X(V_SSPI_FAILED, "sspi_failed", VERDICT_FAILED)                                            \
	X(V_ACCOUNT_DISABLED, "account_disabled", VERDICT_FAILED)                                  \
	X(V_ACCOUNT_LOCKED, "account_locked", VERDICT_FAILED)                                      \
	X(V_PASSWORD_EXPIRED, "password_expired", VERDICT_FAILED)                                  \
	X(V_PASSWORD_MUST_CHANGE, "password_must_change", VERDICT_FAILED)                          \
	X(V_PASSWORD_CHANGE_FAILED, "password_change_failed", VERDICT_FAILED)                      \
	X(V_DATABASE_UNAVAILABLE, "database_unavailable", VERDICT_FAILED)                          \
	X(V_REPLICA_NOT_READABLE, "replica_not_readable", VERDICT_FAILED)                          \
	X(V_LOGON_TRIGGER, "logon_trigger", VERDICT_FAILED)                                        \
	X(V_SINGLE_USER, "single_user", VERDICT_FAILED)                                            \
	X(V_ADMINISTRATORS_ONLY, "administrators_only", VERDICT_FAILED)                            \
	X(V_UPGRADING, "upgrading", VERDICT_FAILED)                                                \
	X(V_LICENSE_LIMIT, "license_limit", VERDICT_FAILED)                                        \
	X(V_TOO_MANY_CONNECTIONS, "too_many_connections", VERDICT_FAILED)                          \
	X(V_DAC_IN_USE, "dac_in_use", VERDICT_FAILED)                                              \
	X(V_LOGIN_BROKEN_OFF, "login_broken_off", VERDICT_FAILED)                                  \
	X(V_LOGIN_MALFORMED, "login_malformed", VERDICT_FAILED)                                    \
	X(V_ENCRYPTION_REQUIRED, "encryption_required", VERDICT_FAILED)                            \
	X(V_POOL_RESET_FAILED, "pool_reset_failed", VERDICT_FAILED)                                \
	X(V_LANGUAGE_UNKNOWN, "language_unknown", VERDICT_FAILED)                                  \
	X(V_FIREWALL_RULE, "firewall_rule", VERDICT_FAILED)                                        \
	X(V_SERVER_UNKNOWN, "server_unknown", VERDICT_FAILED)                                      \
	X(V_SERVICE_ERROR, "service_error", VERDICT_FAILED)                                        \
	X(V_SERVICE_BUSY, "service_busy", VERDICT_FAILED)                                          \
	X(V_RESOURCE_LIMIT, "resource_limit", VERDICT_FAILED)                                      \
	/* TLS. */                                                                                 \
	X(V_CERTIFICATE_REFUSED, "certificate_refused", VERDICT_FAILED)                            \
	X(V_TLS_WRONG_NAME, "tls_wrong_name", VERDICT_FAILED)                                      \
	X(V_CLIENT_CERTIFICATE_REFUSED, "client_certificate_refused", VERDICT_FAILED)              \
	X(V_CERTIFICATE_CHECK_SLOW, "certificate_check_slow", VERDICT_BY_OUTCOME)                  \
	X(V_TLS_NO_COMMON_VERSION, "tls_no_common_version", VERDICT_FAILED)                        \
	X(V_TLS_NO_COMMON_CIPHER, "tls_no_common_cipher", VERDICT_FAILED)                          \
	X(V_TLS_ALERT, "tls_alert", VERDICT_FAILED)                                                \
	X(V_TLS_NOT_AGREED, "tls_not_agreed", VERDICT_FAILED)                                      \
	X(V_TLS_REFUSED, "tls_refused", VERDICT_FAILED)                                            \
	X(V_TLS_FAILED, "tls_failed", VERDICT_FAILED)                                              \
	X(V_ENCRYPTION_MISMATCH, "encryption_mismatch", VERDICT_FAILED)                            \
	X(V_TDS8_NOT_SPOKEN, "tds8_not_spoken", VERDICT_FAILED)                                    \
	X(V_SSPI_CONTEXT, "sspi_context", VERDICT_FAILED)                                          \
	/* Not answered, left, cut off. */                                                         \
	X(V_SYN_UNANSWERED, "syn_unanswered", VERDICT_FAILED)                                      \
	X(V_CONNECTION_REFUSED, "connection_refused", VERDICT_FAILED)                              \
	X(V_DEAD_ADDRESS, "dead_address", VERDICT_FAILED)                                          \
	X(V_PARALLEL_ATTEMPT, "parallel_attempt", VERDICT_ENDED)                                   \
	X(V_PATH_DEAD, "path_dead", VERDICT_FAILED)                                                \
	X(V_MTU, "mtu", VERDICT_FAILED)                                                            \
	X(V_TIMED_OUT, "timed_out", VERDICT_FAILED)                                                \
	X(V_ANSWER_TOO_LATE, "answer_too_late", VERDICT_BY_OUTCOME)                                \
	X(V_CLIENT_LEFT, "client_left", VERDICT_FAILED)                                            \
	X(V_SERVER_DROPPED, "server_dropped", VERDICT_FAILED)                                      \
	X(V_PROBE, "probe", VERDICT_ENDED)                                                         \
	X(V_SCAN, "scan", VERDICT_ENDED)                                                           \
	X(V_NOT_TDS, "not_tds", VERDICT_FAILED)                                                    \
	/* Nothing can be stated. */                                                               \
	X(V_PACKETS_MISSING, "packets_missing", VERDICT_UNKNOWN)                                   \
	X(V_ONE_DIRECTION, "one_direction", VERDICT_UNKNOWN)                                       \
	X(V_CAPTURE_CUT, "capture_cut", VERDICT_UNKNOWN)                                           \
	X(V_CAPTURE_ENDED, "capture_ended", VERDICT_UNKNOWN)                                       \
	X(V_CLOCK_STEPPED, "clock_stepped", VERDICT_UNKNOWN)                                       \
	X(V_EVICTED, "evicted", VERDICT_UNKNOWN)                                                   \
	X(V_OUTCOME_HIDDEN, "outcome_hidden", VERDICT_UNKNOWN)                                     \
	/* How connections ended. */                                                               \
	X(V_CLOSED, "closed", VERDICT_OK)                                                          \
	X(V_MARS_FINISHED, "mars_finished", VERDICT_OK)                                            \
	X(V_CLOSED_BUSY, "closed_busy", VERDICT_FAILED)                                            \
	X(V_CLIENT_RESET, "client_reset", VERDICT_ENDED)                                           \
	X(V_SERVER_CLOSED, "server_closed", VERDICT_FAILED)                                        \
	X(V_RESET_BY_DEVICE, "reset_by_device", VERDICT_FAILED)                                    \
	X(V_IDLE_DROPPED, "idle_dropped", VERDICT_FAILED)                                          \
	X(V_KEEPALIVE_DEAD, "keepalive_dead", VERDICT_FAILED)                                      \
	X(V_REDIRECT_FOLLOWED, "redirect_followed", VERDICT_OK)                                    \
	X(V_REDIRECT_NOT_FOLLOWED, "redirect_not_followed", VERDICT_FAILED)                        \
	X(V_REDIRECT_OPEN, "redirect_open", VERDICT_UNKNOWN)

#endif
