// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Logs in with jTDS: HOST PORT USER PASSWORD [default|none|login|full]; see clients.py.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public class JtdsLogin {
	// With ssl=off jTDS sends no PRELOGIN but begins with LOGIN7, TDS 7.1; with request it takes
	// what the server has (login-only by an answer OFF); require makes all of it encrypted.
	// Login-only works against a server that takes some milliseconds to answer: jTDS leaves TLS
	// by closing the SSLSocket, and Java then throws away what has already come from the server.
	static String ssl(String encrypt) {
		switch (encrypt) {
		case "default":
		case "none":
			return "off";
		case "login":
			return "request";
		case "full":
			return "require";
		default:
			return null;
		}
	}

	static Properties properties(String user, String password, String ssl) {
		Properties p = new Properties();
		int slash = user.indexOf('\\');

		if ("ntlm".equals(System.getenv("AUTH"))) {
			p.setProperty("domain", slash < 0 ? "" : user.substring(0, slash));
			p.setProperty("useNTLMv2", "true");
			user = user.substring(slash + 1);
		}
		p.setProperty("user", user);
		p.setProperty("password", password);
		p.setProperty("ssl", ssl);
		String timeout = System.getenv("LOGIN_TIMEOUT");
		p.setProperty("loginTimeout", timeout == null ? "15" : timeout);
		return p;
	}

	static void query(Connection c) throws SQLException {
		String query = System.getenv("QUERY");
		int rows = 0, answer = 0;

		try (Statement s = c.createStatement()) {
			if (s.execute(query == null ? "select 42 as answer" : query)) {
				ResultSet r = s.getResultSet();

				for (; r.next(); rows++)
					if (query == null)
						answer = r.getInt(1);
			}
		}
		System.out.println(rows + " rows");
		if (query == null && answer != 42)
			throw new SQLException("wrong answer");
	}

	public static void main(String[] args) throws Exception {
		String ssl = ssl(args.length > 4 ? args[4] : "default");
		String host = args[0].indexOf(':') < 0 ? args[0] : "[" + args[0] + "]";
		String database = System.getenv("DATABASE");
		String instance = System.getenv("INSTANCE");
		String url = "jdbc:jtds:sqlserver://" + host +
			     (instance == null ? ":" + args[1] : "") + "/" +
			     (database == null ? "" : database) +
			     (instance == null ? "" : ";instance=" + instance);

		if (ssl == null) {
			System.err.println("jtds: cannot do " + args[4]);
			System.exit(2);
		}
		Class.forName("net.sourceforge.jtds.jdbc.Driver");
		try (Connection c = DriverManager.getConnection(url, properties(args[2], args[3], ssl))) {
			query(c);
		} catch (SQLException e) {
			System.err.println("jtds: " + e.getErrorCode() + ": " + e);
			System.exit(1);
		}
	}
}
