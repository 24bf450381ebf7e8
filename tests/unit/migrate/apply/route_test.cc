#include "migrate/apply/route.h"

#include <gmock/gmock.h>

#include "migrate/apply/change_statement.h"

namespace partywall::migrate {
namespace {

using testing::HasSubstr;

const Uuid kRouteTenant = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");

StreamTable film() {
  StreamTable table{.schema = "public", .name = "film", .columns = {}};
  table.columns = {{.name = "id", .type = "integer", .type_id = 23, .is_primary = true},
                   {.name = "title", .type = "text", .type_id = 25, .can_be_left_out = true},
                   {.name = "tenant_id", .type = "uuid", .type_id = 2950, .is_primary = true}};
  return table;
}

pgoutput::Relation relation(std::vector<pgoutput::RelationColumn> columns, char identity = 'd') {
  return {.id = 7,
          .schema = "public",
          .name = "film",
          .replica_identity = identity,
          .columns = std::move(columns)};
}

pgoutput::Relation film_relation(char identity = 'd') {
  return relation({{identity != 'n', "id", 23, -1}, {identity == 'f', "title", 25, -1}}, identity);
}

const TenantColumns kAdd{.tenant = kRouteTenant, .source = std::nullopt, .target = "tenant_id"};
const TenantColumns kStrip{.tenant = kRouteTenant, .source = "tenant_id", .target = std::nullopt};

Route film_route(char identity = 'd') {
  const StreamTable table = film();
  return *make_route(film_relation(identity), {"integer", "text"}, &table, kAdd);
}

// A statement that fails unless it changes exactly one row.
std::string one_row(const std::string& sql) {
  return "WITH done AS (" + sql +
         " RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.count(*) "
         "OPERATOR(pg_catalog.=) 1)::pg_catalog.int4 FROM done";
}

TEST(Route, EveryStatementNamesTheTenant) {
  const Route route = film_route();
  const std::string tenant =
      R"("tenant_id" OPERATOR(pg_catalog.=) 'aaaaaaaa-0000-4000-8000-000000000001'::pg_catalog.uuid)";
  EXPECT_EQ(insert_statement(route).sql,
            R"(INSERT INTO "public"."film" ("tenant_id", "id", "title") OVERRIDING SYSTEM VALUE )"
            R"(VALUES ('aaaaaaaa-0000-4000-8000-000000000001'::pg_catalog.uuid, $1, $2))");
  EXPECT_EQ(update_statement(route, {false, true}, FromRow::kNew).sql,
            one_row(R"(UPDATE "public"."film" AS changed SET "title" = $1 WHERE )" + tenant +
                    R"( AND "id" OPERATOR("pg_catalog".=) $2)"));
  EXPECT_EQ(delete_statement(route).sql,
            one_row(R"(DELETE FROM "public"."film" AS changed WHERE )" + tenant +
                    R"( AND "id" OPERATOR("pg_catalog".=) $1)"));
  EXPECT_EQ(delete_all_statement(route).sql, R"(DELETE FROM "public"."film" WHERE )" + tenant);
}

TEST(Route, AWholeRowIsFoundOnceAndAmongTheTenantsOnly) {
  StreamTable table = film();
  for (StreamColumn& column : table.columns) column.is_primary = false;
  const auto route = make_route(film_relation('f'), {"integer", "text"}, &table, kAdd);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->match, RowMatch::kWholeRow);
  const std::string sql = delete_statement(*route).sql;
  EXPECT_THAT(sql, HasSubstr("LIMIT 1"));
  EXPECT_THAT(sql, HasSubstr("'aaaaaaaa-0000-4000-8000-000000000001'"));
  EXPECT_THAT(sql, HasSubstr("IS NOT DISTINCT FROM"));
}

TEST(Route, WithTheWholeOldRowTheKeyIsTheTargets) {
  const Route route = film_route('f');
  EXPECT_EQ(route.match, RowMatch::kKey);
  EXPECT_TRUE(route.columns[0].is_key);
  EXPECT_FALSE(route.columns[1].is_key);
}

TEST(Route, ParametersHaveTheTypesOfTheTarget) {
  const ChangeStatement statement = update_statement(film_route(), {true, true}, FromRow::kOld);
  EXPECT_THAT(statement.types, testing::ElementsAre(23, 25, 23));
  EXPECT_EQ(statement.parameters[2], (ChangeParameter{FromRow::kOld, 0}));
  EXPECT_EQ(statement.expected, RowsChanged::kExactlyOne);
}

TEST(Route, OfASharedSourceTheTenantsColumnIsTakenAway) {
  StreamTable table = film();
  table.columns.pop_back();
  const auto route = make_route(
      relation({{true, "id", 23, -1}, {false, "title", 25, -1}, {true, "tenant_id", 2950, -1}}),
      {"integer", "text", "uuid"}, &table, kStrip);
  ASSERT_TRUE(route) << route.error().message;
  EXPECT_EQ(route->tenant_at, 2u);
  EXPECT_EQ(
      insert_statement(*route).sql,
      R"(INSERT INTO "public"."film" ("id", "title") OVERRIDING SYSTEM VALUE VALUES ($1, $2))");
  EXPECT_EQ(
      delete_statement(*route).sql,
      one_row(R"(DELETE FROM "public"."film" AS changed WHERE "id" OPERATOR("pg_catalog".=) $1)"));
}

// What must stop the stream, and what the message must show.
struct RouteDifference {
  pgoutput::Relation relation;
  std::vector<std::string> types;
  std::string shown;
};

TEST(Route, DifferencesAreShown) {
  const StreamTable table = film();
  const std::vector<RouteDifference> cases{
      {relation({{true, "id", 20, -1}, {false, "title", 25, -1}}),
       {"bigint", "text"},
       "column id is bigint in the source, integer in the target"},
      {relation({{true, "id", 23, -1}, {false, "title", 25, -1}, {false, "rating", 23, -1}}),
       {"integer", "text", "integer"},
       "column rating (integer) is not in the target"},
      {relation({{false, "title", 25, -1}}), {"text"}, "column id (integer) is not in the source"},
      // A source that names a tenant itself must not choose whose row it is.
      {relation({{true, "id", 23, -1}, {false, "title", 25, -1}, {false, "tenant_id", 2950, -1}}),
       {"integer", "text", "uuid"},
       "the source has a column tenant_id of its own"}};
  for (const RouteDifference& one : cases) {
    const auto route = make_route(one.relation, one.types, &table, kAdd);
    ASSERT_FALSE(route) << one.shown;
    EXPECT_EQ(route.error().kind, ErrorKind::kConflict);
    EXPECT_THAT(route.error().message, HasSubstr(one.shown));
    EXPECT_THAT(route.error().message, HasSubstr("schema convert"));
  }
  EXPECT_THAT(make_route(film_relation(), {"integer", "text"}, nullptr, kAdd).error().message,
              HasSubstr("not in the target"));
}

TEST(Route, AColumnThatAnInsertCanLeaveOutMayBeMissing) {
  const StreamTable table = film();
  EXPECT_TRUE(make_route(relation({{true, "id", 23, -1}}), {"integer"}, &table, kAdd));
}

TEST(Route, ADeletedRowMustSayWhoseItWas) {
  StreamTable table = film();
  table.columns.pop_back();
  const auto route = make_route(
      relation({{true, "id", 23, -1}, {false, "title", 25, -1}, {false, "tenant_id", 2950, -1}}),
      {"integer", "text", "uuid"}, &table, kStrip);
  ASSERT_FALSE(route);
  EXPECT_THAT(route.error().message, HasSubstr("replica identity lacks tenant_id"));
}

}  // namespace
}  // namespace partywall::migrate
