/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * csv_columns.h - the heads of the CSV of logins, shared by its writer and its reader.
 */
#ifndef TDSMON_CSV_COLUMNS_H
#define TDSMON_CSV_COLUMNS_H

#define CSV_HEADS                                                                                  \
	"time,id,client_addr,client_port,server_addr,server_port,outcome,outcome_basis,"           \
	"confidence,verdict,class,total_ms,tcp_ms,prelogin_ms,tls_ms,login_ms,auth_ms,"            \
	"client_wait_ms,server_wait_ms,network_wait_ms,app,host,database,driver,client_version,"   \
	"tds_version,server_version,instance,auth_method,user,domain,workstation,encryption,"      \
	"tls_version,tls_cipher,mars,error_number,error_state,error_message,syn_retransmits,"      \
	"retransmits,missing_bytes,verdict_text,client_mss,server_mss"

#endif
