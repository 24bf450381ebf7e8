#include "embedded/tour/steps.h"
#include "engines/postgres.h"

namespace partywall::embedded {
namespace {

postgres::ConnectionSettings login(const TourPlan& plan, const std::string& user,
                                   const Secret& password) {
  return {.endpoint = plan.sql,
          .database = plan.database,
          .user = user,
          .password = password,
          .tls = postgres::TlsMode::kDisable,
          .application_name = "partywall tour"};
}

// The number in the one row that the statement returns; -1 if there is none.
int64_t count(postgres::Connection& connection, const std::string& sql) {
  const auto rows = connection.execute(sql);
  return rows && rows->size() == 1 ? rows->number(0) : -1;
}

// A lost connection would also be an error, and show nothing.
bool is_refused(const postgres::PostgresResult<postgres::Rows>& answer) {
  constexpr std::string_view kInsufficientPrivilege = "42501";
  return !answer && answer.error().sqlstate == kInsufficientPrivilege;
}

}  // namespace

void try_the_sql_door(Tour& tour) {
  const DemoTenant& small = tour.plan.small.tenant;
  const DemoTenant& large = tour.plan.large.tenant;
  tour.report.heading(
      fmt::format("{} tries to reach {} through the sql door", small.slug, large.slug));
  auto connection = postgres::Connection::open(login(tour.plan, small.slug, small.sql_password));
  if (!tour.report.saw(connection.has_value(), "logs in as {}{}", small.slug,
                       connection ? "" : ": " + connection.error().message)) {
    return;
  }
  const std::string foreign = postgres::quote_literal(large.id.value().to_string());
  const int64_t own = count(*connection, "SELECT count(*) FROM products");
  tour.report.saw(own == static_cast<int64_t>(tour.small_products.size()),
                  "SELECT count(*) FROM products: {}, all its own", own);
  const int64_t others =
      count(*connection, "SELECT count(*) FROM products WHERE tenant_id = " + foreign);
  tour.report.saw(others == 0, "… WHERE tenant_id = {}'s: {}", large.slug, others);

  const auto set = connection->execute("SET app.current_tenant = " + foreign);
  tour.report.saw(is_refused(set), "SET app.current_tenant = {}'s: {}", large.slug,
                  set ? "accepted" : set.error().message);
  const auto insert =
      connection->execute("INSERT INTO products (tenant_id, sku, name, price_cents) VALUES (" +
                          foreign + ", 'TOUR', 'planted by a neighbour', 0)");
  tour.report.saw(is_refused(insert), "INSERT of a row of {}'s: {}", large.slug,
                  insert ? "accepted" : insert.error().message);

  const auto stolen = postgres::Connection::open(login(tour.plan, large.slug, small.sql_password));
  tour.report.saw(!stolen && stolen.error().message.contains("authentication failed"),
                  "logs in as {} with its own password: {}", large.slug,
                  stolen ? "accepted" : stolen.error().message);
}

}  // namespace partywall::embedded
