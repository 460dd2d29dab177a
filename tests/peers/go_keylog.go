// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// What go-mssqldb lacks: a key log. clients.py adds this file to the driver's package, and has the driver's TLS
// configuration go through withKeyLog().
package mssql

import (
	"crypto/tls"
	"os"
)

func withKeyLog(config *tls.Config) *tls.Config {
	if path := os.Getenv("SSLKEYLOGFILE"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0600)
		if err != nil {
			panic(err)
		}
		config.KeyLogWriter = file
	}
	return config
}
