// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

// What Swift can't call or name of the API: functions with variable arguments, and a cast.

/// Binds a copy of `count` bytes of UTF-8.
static inline int lake_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *bytes, int count) {
  return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// Sets a switch of the connection (`SQLITE_DBCONFIG_…`) on or off.
static inline int lake_sqlite_configure(sqlite3 *database, int name, int isOn) {
  return sqlite3_db_config(database, name, isOn, (int *)0);
}
