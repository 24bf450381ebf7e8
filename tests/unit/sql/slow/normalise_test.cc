#include "sql/slow/normalise.h"

#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

TEST(WithoutConstants, ConstantsAndComments) {
  EXPECT_EQ(without_constants("SELECT  a.b, 'x''y' /* secret */ FROM t -- secret\nWHERE c = 12.5"),
            "SELECT a.b, ? FROM t WHERE c = ?");
  EXPECT_EQ(without_constants("select E'\\'x', B'01', U&'\\0041', $q$secret$q$, $1::int, x[3]"),
            "select ?, $1::int, x[?]");
  EXPECT_EQ(without_constants("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y');"),
            "INSERT INTO t(a, b) VALUES(?),(?);");
  EXPECT_EQ(without_constants("SELECT * FROM t WHERE id IN (1,2,3) AND x = ANY ($1, $2)"),
            "SELECT * FROM t WHERE id IN(?) AND x = ANY($1, $2)");
  EXPECT_EQ(without_constants("DO $$ BEGIN PERFORM 'secret'; END $$"), "DO ?");
  EXPECT_EQ(without_constants(""), "");
}

TEST(WithoutConstants, ValuesOfSetMayBeWords) {
  EXPECT_EQ(without_constants("SET app.key TO opensesame"), "SET app.key TO ?");
  EXPECT_EQ(without_constants("set local app.key = a, b; select c"),
            "set local app.key = ?; select c");
  EXPECT_EQ(without_constants("UPDATE t SET a = b, c = 1"), "UPDATE t SET a = b, c = ?");
}

// What is cut might be the beginning of a constant.
TEST(WithoutConstants, WhatCannotBeReadIsLeftOut) {
  EXPECT_EQ(without_constants("SELECT a FROM t WHERE b = 'secr"), "SELECT a FROM t WHERE b = …");
  EXPECT_EQ(without_constants("SELECT $q$secr"), "SELECT …");
  EXPECT_EQ(without_constants("/* secr"), "…");
  EXPECT_EQ(without_constants("SELECT '\x83\\'' secret'", {.ascii_safe_encoding = false}), "…");
  EXPECT_EQ(without_constants("SELECT 'a\\' secret'", {.standard_conforming_strings = false}),
            "SELECT ?");
}

}  // namespace
}  // namespace partywall::sql
