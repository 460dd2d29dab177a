// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// Logs in with go-mssqldb: HOST PORT USER PASSWORD [default|none|login|full]; see clients.py.
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "github.com/denisenkom/go-mssqldb"
)

var encryption = map[string]string{
	"default": "",
	"none":    "encrypt=disable",
	"login":   "encrypt=false;TrustServerCertificate=true",
	"full":    "encrypt=true;TrustServerCertificate=true",
}

func environment(name, otherwise string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return otherwise
}

func query(db *sql.DB) error {
	var answer int
	text, given := os.LookupEnv("QUERY")
	if !given {
		text = "select 42 as answer"
	}
	rows, err := db.Query(text)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		if !given {
			if err := rows.Scan(&answer); err != nil {
				return err
			}
		}
	}
	fmt.Println(n, "rows")
	if !given && answer != 42 {
		return fmt.Errorf("wrong answer %d", answer)
	}
	return rows.Err()
}

func main() {
	mode := "default"
	if len(os.Args) > 5 {
		mode = os.Args[5]
	}
	encrypt, ok := encryption[mode]
	if !ok {
		fmt.Fprintln(os.Stderr, "go: cannot do", mode)
		os.Exit(2)
	}
	where := os.Args[1] + ";port=" + os.Args[2]
	if instance := environment("INSTANCE", ""); instance != "" {
		where = os.Args[1] + "\\" + instance
	}
	// A user name with a backslash makes go-mssqldb use NTLM.
	db, err := sql.Open("mssql", fmt.Sprintf(
		"server=%s;user id=%s;password=%s;database=%s;connection timeout=%s;%s",
		where, os.Args[3], os.Args[4], environment("DATABASE", ""),
		environment("LOGIN_TIMEOUT", "15"), encrypt))
	if err == nil {
		err = query(db)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "go: %v\n", err)
		os.Exit(1)
	}
	// The connection is left to the end of the process: under TLS closing it panics in this
	// release of the driver.
}
