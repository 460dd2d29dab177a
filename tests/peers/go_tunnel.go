// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// TDS 8 for drivers that lack it: LISTEN SERVER COUNT. Takes so many connections, one after the other, and puts what they
// say into TLS of Go, with ALPN tds/8.0. Each resumes the session of the one before. SSLKEYLOGFILE names the key log.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tunnel:", err)
		os.Exit(1)
	}
}

func carry(client net.Conn, server *tls.Conn) {
	go func() {
		io.Copy(server, client)
		server.CloseWrite()
		server.NetConn().(*net.TCPConn).CloseWrite()
	}()
	io.Copy(client, server)
	client.Close()
	server.Close()
}

func main() {
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"tds/8.0"}, ServerName: "localhost",
		ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if path := os.Getenv("SSLKEYLOGFILE"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0600)
		check(err)
		config.KeyLogWriter = file
	}
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	listener, err := net.Listen("tcp", os.Args[1])
	check(err)
	fmt.Println("listening")
	for ; count > 0; count-- {
		client, err := listener.Accept()
		check(err)
		server, err := (&tls.Dialer{Config: config}).DialContext(context.Background(), "tcp", os.Args[2])
		check(err)
		carry(client, server.(*tls.Conn))
	}
}
