#include "migrate/apply/route.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres.h"

namespace partywall::migrate {
namespace {

using Differences = std::vector<std::string>;

class RouteMaker {
 public:
  RouteMaker(const pgoutput::Relation& relation, const std::vector<std::string>& types,
             const StreamTable& target, const TenantColumns& tenant)
      : relation_(relation), types_(types), target_(target), tenant_(tenant) {}

  Route make() {
    route_.target = target_.quoted();
    route_.tenant_text = tenant_.tenant.to_string();
    route_.tenant_constant = fmt::format("'{}'::pg_catalog.uuid", route_.tenant_text);
    route_tenant();
    for (size_t i = 0; i < relation_.columns.size(); ++i) route_column(i);
    choose_key();
    check_left_out();
    return std::move(route_);
  }

  [[nodiscard]] const Differences& differences() const { return differences_; }

 private:
  template <class... Parts>
  void differs(fmt::format_string<Parts...> text, Parts&&... parts) {
    differences_.push_back(fmt::format(text, std::forward<Parts>(parts)...));
  }

  void route_tenant() {
    if (!tenant_.target) return;
    const StreamColumn* const column = target_.find(*tenant_.target);
    if (column == nullptr || column->type != "uuid") {
      differs("the target has no column {} of the type uuid", *tenant_.target);
      return;
    }
    route_.tenant_column = postgres::quote_identifier(*tenant_.target);
  }

  void route_column(size_t at) {
    const pgoutput::RelationColumn& column = relation_.columns[at];
    RoutedColumn& routed = route_.columns.emplace_back();
    routed.name = postgres::quote_identifier(column.name);
    if (tenant_.source && column.name == *tenant_.source) {
      routed.is_tenant = true;
      route_.tenant_at = at;
      check_source_tenant(column, types_[at]);
      return;
    }
    if (tenant_.target && column.name == *tenant_.target) {
      differs("the source has a column {} of its own, where the target has the tenant",
              column.name);
      return;
    }
    const StreamColumn* const to = target_.find(column.name);
    if (to == nullptr) {
      differs("column {} ({}) is not in the target", column.name, types_[at]);
      return;
    }
    if (to->type != types_[at]) {
      differs("column {} is {} in the source, {} in the target", column.name, types_[at], to->type);
    }
    if (to->is_generated) {
      differs("column {} is generated in the target, not in the source", column.name);
    }
    routed.type_id = to->type_id;
    routed.equals = fmt::format("OPERATOR({}.=)", postgres::quote_identifier(to->equality_schema));
    routed.is_always_identity = to->is_always_identity;
  }

  void check_source_tenant(const pgoutput::RelationColumn& column, const std::string& type) {
    if (type != "uuid") differs("the source's column {} is {}, not uuid", column.name, type);
    if (!column.is_key) {
      differs(
          "the source's replica identity lacks {}, so that a deleted row does not say whose it "
          "was (ALTER TABLE … REPLICA IDENTITY USING INDEX one that begins with it)",
          column.name);
    }
  }

  // With the whole old row at hand, the key is the target's.
  void choose_key() {
    const bool is_full = relation_.replica_identity == 'f';
    bool has_key = false;
    for (size_t i = 0; i < relation_.columns.size(); ++i) {
      RoutedColumn& column = route_.columns[i];
      const StreamColumn* const to = target_.find(relation_.columns[i].name);
      if (column.is_tenant) {
        has_key = has_key || (!is_full && relation_.columns[i].is_key);
        continue;
      }
      column.is_key = is_full ? to != nullptr && to->is_primary : relation_.columns[i].is_key;
      has_key = has_key || column.is_key;
    }
    // A key of which the stream has only a part names no row.
    const bool is_whole = std::ranges::all_of(target_.columns, [&](const StreamColumn& column) {
      return !column.is_primary || column.name == tenant_.target ||
             std::ranges::count(relation_.columns, column.name, &pgoutput::RelationColumn::name) >
                 0;
    });
    if (is_full && (!has_key || !is_whole)) {
      route_.match = RowMatch::kWholeRow;
      for (RoutedColumn& column : route_.columns) column.is_key = !column.is_tenant;
    }
  }

  void check_left_out() {
    for (const StreamColumn& column : target_.columns) {
      const bool is_sent =
          std::ranges::count(relation_.columns, column.name, &pgoutput::RelationColumn::name) > 0;
      if (is_sent || column.can_be_left_out || column.name == tenant_.target) continue;
      differs("column {} ({}) is not in the source, and rows of the target need it", column.name,
              column.type);
    }
    if (tenant_.source && !route_.tenant_at)
      differs("the source has no column {}, which says whose a row is", *tenant_.source);
  }

  const pgoutput::Relation& relation_;
  const std::vector<std::string>& types_;
  const StreamTable& target_;
  const TenantColumns& tenant_;
  Route route_;
  Differences differences_;
};

}  // namespace

Result<Route> make_route(const pgoutput::Relation& relation,
                         const std::vector<std::string>& source_types, const StreamTable* target,
                         const TenantColumns& tenant) {
  const std::string source =
      fmt::format("{}.{}", relation.schema.empty() ? "pg_catalog" : relation.schema, relation.name);
  if (target == nullptr) {
    return fail(ErrorKind::kConflict,
                "table {} is in the change stream and not in the target: it is new in the source. "
                "Bring the target up to date with partywall schema convert, and follow again",
                source);
  }
  RouteMaker maker(relation, source_types, *target, tenant);
  Route route = maker.make();
  route.source = source;
  if (maker.differences().empty()) return route;
  return fail(ErrorKind::kConflict,
              "table {} is no longer the same in source and target: {}. Nothing of it was applied. "
              "Make them alike (partywall schema convert shows how), and follow again",
              source, fmt::join(maker.differences(), "; "));
}

}  // namespace partywall::migrate
