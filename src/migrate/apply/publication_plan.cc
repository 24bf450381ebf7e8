#include "migrate/apply/publication_plan.h"

#include <fmt/format.h>

#include "migrate/apply/route.h"

namespace partywall::migrate {
namespace {

pgoutput::Relation relation_of(const StreamTable& table, std::vector<std::string>& types) {
  pgoutput::Relation relation;
  relation.schema = table.schema;
  relation.name = table.name;
  relation.replica_identity = table.identity == ReplicaIdentity::kFull ? 'f' : 'd';
  for (const StreamColumn& column : table.columns) {
    if (column.is_generated) continue;
    relation.columns.push_back(
        {.is_key = table.identity == ReplicaIdentity::kFull || column.is_identity,
         .name = column.name,
         .type = column.type_id,
         .type_modifier = -1});
    types.push_back(column.type);
  }
  return relation;
}

class Planner {
 public:
  Planner(const StreamTables& target, const TenantColumns& tenant, PublicationPlan& plan)
      : target_(target), tenant_(tenant), plan_(plan) {}

  void add(const StreamTable& table) {
    if (tenant_.source && table.find(*tenant_.source) == nullptr) return;
    const auto to = target_.find({table.schema, table.name});
    if (to == target_.end()) {
      refuse(table,
             "is not in the target. Make it with partywall schema convert, or exclude it in "
             "the rules");
      return;
    }
    if (tenant_.target && to->second.find(*tenant_.target) == nullptr) return;
    if (table.is_unlogged) {
      plan_.warnings.push_back(fmt::format(
          "table {} is UNLOGGED: its changes are in no log and are not followed", table.shown()));
      return;
    }
    if (!table.is_partitioned) check(table, to->second);
    if (!table.is_partition) plan_.tables.emplace(table.schema, table.name);
  }

 private:
  void refuse(const StreamTable& table, std::string_view why) {
    plan_.refusals.push_back(fmt::format("table {} {}", table.shown(), why));
  }

  void check(const StreamTable& table, const StreamTable& to) {
    if (table.identity == ReplicaIdentity::kNothing) {
      refuse(table,
             "has no key by which a change can name its row: if it were published, UPDATE and "
             "DELETE would fail in the application. Give it a primary key that is not deferrable, "
             "or ALTER TABLE … REPLICA IDENTITY FULL");
      return;
    }
    if (to.has_row_security) {
      refuse(table,
             "has row-level security in the target that would apply. Connect as a user with "
             "BYPASSRLS");
      return;
    }
    if (!to.acting_triggers.empty()) {
      refuse(table, fmt::format("has triggers in the target that are ENABLE ALWAYS or REPLICA and "
                                "would act a second time: {}. ALTER TABLE … ENABLE TRIGGER makes "
                                "them ordinary ones, DISABLE TRIGGER holds them back meanwhile",
                                to.acting_triggers));
      return;
    }
    std::vector<std::string> types;
    const pgoutput::Relation relation = relation_of(table, types);
    if (const auto route = make_route(relation, types, &to, tenant_); !route)
      plan_.refusals.push_back(route.error().message);
  }

  const StreamTables& target_;
  const TenantColumns& tenant_;
  PublicationPlan& plan_;
};

}  // namespace

PublicationPlan plan_publication(const StreamTables& source, const StreamTables& target,
                                 const TenantColumns& tenant, const TableNames& left_out) {
  PublicationPlan plan;
  Planner planner(target, tenant, plan);
  for (const auto& [name, table] : source) {
    if (!left_out.contains(name) && !left_out.contains(table.root)) planner.add(table);
  }
  if (plan.tables.empty() && plan.refusals.empty())
    plan.refusals.push_back("the source has no table that the target has too: nothing to follow");
  return plan;
}

}  // namespace partywall::migrate
