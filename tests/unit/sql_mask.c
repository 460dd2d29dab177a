/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_mask.c - no password in a reported statement, and the rest of it unchanged.
 */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/sql_fold.h"
#include "engine/protocol/sql_mask.h"
#include "unit.h"

static void check(const char *text, bool cut, const char *want)
{
	char *told = sql_mask(strdup(text), cut);

	CHECK_STR(told, want);
	free(told);
}

static void check_mask(const char *text, const char *want)
{
	check(text, false, want);
}

UNIT_CASE(what_names_no_password_is_left_alone)
{
	static const char *const texts[] = {
		"select 'a', [b] -- c",
		"",
		"update t set a = 0x12AB, b = N'it''s', c = \"d\" where e in (1, 2.5e3)",
		"select bypass, compass_heading, spinning, pinned from passengers",
		"exec dbo.find 'x', 5, @p = y output; select * from t",
		"select char(65) + 'b', concat('a', 'b'), 'https://host/path?a=b@c'",
		"create schema s authorization dbo",
		"exec sp_executesql N'select @a', N'@a int', @a = 5",
		"insert t values ('pas', 'sing')",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_mask(texts[i], texts[i]);
}

UNIT_CASE(passwords_are_masked)
{
	check_mask("CREATE LOGIN bob WITH PASSWORD = 'hunter2', CHECK_POLICY = OFF",
		   "CREATE LOGIN bob WITH PASSWORD ***");
	check_mask("alter login bob with password=0x0200AB HASHED",
		   "alter login bob with password ***");
	check_mask("exec sp_addlogin bob, hunter2", "exec sp_addlogin ***");
	check_mask("EXEC sp_password 'old', 'new', 'bob'", "EXEC sp_password ***");
	check_mask("exec sp_addlinkedsrvlogin 'S','false',NULL,'u','p'",
		   "exec sp_addlinkedsrvlogin ***");
	check_mask("exec sp_setapprole 'r', 'p'", "exec sp_setapprole ***");
	check_mask("select * from OPENROWSET('SQLNCLI','s';'u';'p','q')",
		   "select * from OPENROWSET ***");
	check_mask("CREATE CREDENTIAL c WITH IDENTITY='i', SECRET='s'", "CREATE CREDENTIAL ***");
	check_mask("set @x = \"a\"; set pwd = 'b'", "set @x = '***'; set pwd ***");
}

/* With any kind of literal before the name. */
UNIT_CASE(literals_before_the_name)
{
	check_mask("declare @p nvarchar(9) = N'hunter2'; exec('create login b with password='+@p)",
		   "declare @p nvarchar(***) = N'***'; exec('***' ***");
	check_mask("DECLARE @h varbinary(256)=0x0200AB; ALTER LOGIN a WITH PASSWORD=@h HASHED",
		   "DECLARE @h varbinary(***)=***; ALTER LOGIN a WITH PASSWORD ***");
	check_mask("set @n = 8421337, @m = -1.5e+7, @d = $12.50, @t1 = 0X1F; password",
		   "set @n = ***, @m = -***, @d = ***, @t1 = ***; password ***");
	/* Bare words among EXEC's arguments are literals, up to the next statement. */
	check_mask("EXEC @rc = db.dbo.p hunter2, @x, [hunter3], 'y', null output; password",
		   "EXEC @rc = db.dbo.p ***, @x, [***], '***', null output; password ***");
	check_mask("exec p hunter2 select a from b password",
		   "exec p *** select a from b password ***");
	check_mask("exec [p] hunter2\nexecute q hunter3; alter login c password",
		   "exec [***] ***\nexecute q ***; alter login c password ***");
	check_mask("exec p mypassword1", "exec p *** ***");
}

/* Quotes in comments and in names do not count. */
UNIT_CASE(quotes_that_do_not_count)
{
	check_mask("/* don't /* 'nest' */ */ set @a='s' -- it's\nset @b = 't'; password",
		   "  set @a='***'  \nset @b = '***'; password ***");
	check_mask("select [it's]]'], 'it''s' password", "select [***], '***' password ***");
	/* An unterminated literal is not shown. */
	check_mask("select 'x password", "select  ***");
	check_mask("select [x password", "select  ***");
	check_mask("select /* password", "select  ***");
	check_mask("select -- password", "select  ***");
}

/* Names that are concatenated, or written in other ways. */
UNIT_CASE(names_that_are_hard_to_see)
{
	check_mask("declare @p char(9)='x'; exec('create login a with PAS'+'SWORD='''+@p+'''')",
		   "declare @p char(***)='***'; exec('***'+'***' ***");
	check_mask("set @q='with PAS' + /* - */ N'SWORD=''x'''", "set @q='***' +   N'***' ***");
	check_mask("set @q='PAS'+CHAR(83)+nchar(0x57)+'ORD=''x'''",
		   "set @q='***'+CHAR(***)+nchar(***)+'***' ***");
	check_mask("set @q=char(112)+char(119)+char(100)+'=x'",
		   "set @q=char(***)+char(***)+char(***) ***");
	check_mask("set @q=concat('PAS', 'SWORD', '=x')", "set @q=concat('***', '***' ***");
	check_mask("set @q='PASS\\\nWORD=x'", "set @q='***' ***");
	check_mask("set @q='PAS'+''+'SWORD=x'", "set @q='***'+'***'+'***' ***");
	check_mask("create login a with \uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24='x'",
		   "create login a with \uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24 ***");
	check_mask("create login a with P\u0410SSWORD='x'",
		   "create login a with P\u0410SSWORD ***");
	/* If a part names a password, nothing after it is shown. */
	check_mask("set @q='PASS'+'WORD=x', @p='y'", "set @q='***' ***");
	/* Characters that do not end the text that is searched. */
	check_mask("set @q='x'+CHAR(+0)+'y', @p='z'; password",
		   "set @q='***'+CHAR(+***)+'***', @p='***'; password ***");
	check_mask("set @p='z', @q=nchar(0x0) password",
		   "set @p='***', @q=nchar(***) password ***");
	/* A comment between two strings may be text of one of them. */
	check_mask("set @q='a'' + /* password=''x'' */ ''b'", "set @q='***' ***");
	/* A string is executed: nobody sees what it becomes. */
	check_mask("exec (reverse('x DROWSSAP'))", "exec (reverse('***'))");
	check_mask("declare @q char(1)='x' execute(@q) -- c",
		   "declare @q char(***)='***' execute(@q)  ***");
	check_mask("exec sp_exec('a')", "exec sp_exec('a')");
}

/* Secrets other than SQL Server logins' passwords. */
UNIT_CASE(other_secrets)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"UPDATE u SET pass='x'", "UPDATE u SET pass ***"},
		{"UPDATE u SET user_pass = 'x'", "UPDATE u SET user_pass ***"},
		{"UPDATE u SET passwd='x'", "UPDATE u SET passwd ***"},
		{"INSERT u(name, pin) VALUES('a', 1234)", "INSERT u(name, pin ***"},
		{"INSERT u(access_token) VALUES('a')", "INSERT u(access_token ***"},
		{"CREATE SYMMETRIC KEY k WITH KEY_SOURCE='x'",
		 "CREATE SYMMETRIC KEY k WITH KEY_SOURCE ***"},
		{"SELECT HASHBYTES('SHA2_256','x')", "SELECT HASHBYTES ***"},
		{"EXEC sp_xp_cmdshell_proxy_account 'D\\u','x'", "EXEC sp_xp_cmdshell ***"},
		{"EXEC xp_cmdshell 'net use \\\\s\\x x /user:b'", "EXEC xp_cmdshell ***"},
		{"EXEC sp_adddistributor 'd', 60, 'x'", "EXEC sp_adddistributor ***"},
		{"BULK INSERT t FROM 'https://a/c?sv=1&sig=x'", "BULK INSERT t FROM '***' ***"},
		{"EXEC p @o, 'Bearer x'", "EXEC p @o, '***' ***"},
		{"SELECT 'https://u:x@host/'", "SELECT '***' ***"},
		{"EXEC sp_change_users_login 'Auto_Fix','a',NULL,'x'",
		 "EXEC sp_change_users_login ***"},
		{"SELECT * FROM OPENQUERY(l,'x')", "SELECT * FROM OPENQUERY ***"},
		{"EXECUTE AS LOGIN='sa' WITH COOKIE INTO @c",
		 "EXECUTE AS LOGIN='***' WITH COOKIE ***"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_mask(cases[i].text, cases[i].want);
}

/* The missing rest may name a password. */
UNIT_CASE(a_text_that_is_cut)
{
	check("DECLARE @p varchar(99)='x'; -- c\nselect [a], 0x1F", true,
	      "DECLARE @p varchar(***)='***';  \nselect [***], ***");
	check("select 'x", true, "select  ***");
	check("select a from b", true, "select a from b");
}

UNIT_CASE(folded)
{
	struct sql_folded f;

	CHECK_INT(sql_fold(&f, "A\u0410\u4e2d'b''", SQL_JOINED), 0);
	CHECK_STR(f.text, "aa?'b'");
	CHECK_INT(f.at[1], 3);
	CHECK_INT(f.at[2], 6);
	CHECK_INT(f.at[5], 10);
	sql_folded_release(&f);
	CHECK_INT(sql_fold(&f, "'a' + /* c */ 'b'", SQL_AS_WRITTEN), 0);
	CHECK_STR(f.text, "'a' + /* c */ 'b'");
	sql_folded_release(&f);
	CHECK_INT(sql_fold(&f, "'a' + /* c */ 'b' + char(0)", SQL_JOINED), 0);
	CHECK_STR(f.text, "'ab?");
	sql_folded_release(&f);
	CHECK_INT(sql_fold(&f, "'a' + varchar(5) + char(5x) + char('b", SQL_JOINED), 0);
	CHECK_STR(f.text, "'a' + varchar(5) + char(5x) + char('b");
	sql_folded_release(&f);
}

int main(void)
{
	RUN(what_names_no_password_is_left_alone);
	RUN(passwords_are_masked);
	RUN(literals_before_the_name);
	RUN(quotes_that_do_not_count);
	RUN(names_that_are_hard_to_see);
	RUN(other_secrets);
	RUN(a_text_that_is_cut);
	RUN(folded);
	return unit_status();
}
