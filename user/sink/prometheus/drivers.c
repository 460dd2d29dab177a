// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * drivers.c - the known client drivers, by their names in LOGIN7's CltIntName (MS-TDS 2.2.6.4).
 */
#include <stddef.h>
#include <string.h>

#include "sink/prometheus/drivers.h"

/* A version may follow. The longest match counts, so longer names come first. */
static const char *const drivers[] = {
	".Net SqlClient Data Provider",
	"Framework Microsoft SqlClient Data Provider for SQL Server",
	"Framework Microsoft SqlClient Data Provider",
	"Core Microsoft SqlClient Data Provider",
	"Core .Net SqlClient Data Provider",
	"Microsoft JDBC Driver",
	"Microsoft SQL Server JDBC Driver",
	"jTDS",
	"ODBC",
	"OLEDB",
	"MSOLEDBSQL",
	"DB-Library",
	"TDS-Library",
	"Python TDS Library",
	"Tedious",
	"go-mssqldb",
};

size_t drivers_count(void)
{
	return sizeof(drivers) / sizeof(drivers[0]);
}

const char *drivers_name(size_t i)
{
	return drivers[i];
}

const char *driver_known(const char *name)
{
	for (size_t i = 0; name && i < drivers_count(); i++) {
		size_t len = strlen(drivers[i]);

		if (!strncasecmp(name, drivers[i], len) && (!name[len] || name[len] == ' '))
			return drivers[i];
	}
	return NULL;
}
