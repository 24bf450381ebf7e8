#pragma once

#include <string>
#include <vector>

#include "migrate/apply/stream_table.h"

// Which tables of the source are followed. Pure.
namespace partywall::migrate {

struct PublicationPlan {
  // To be published: without partitions, which come with the table that they are part of.
  TableNames tables;
  // Nothing is done while there is one.
  std::vector<std::string> refusals;
  std::vector<std::string> warnings;
};

// `left_out`: tables that stay where they are, with their partitions. Tables without a tenant are
// left out by themselves, where the database is shared.
[[nodiscard]] PublicationPlan plan_publication(const StreamTables& source,
                                               const StreamTables& target,
                                               const TenantColumns& tenant,
                                               const TableNames& left_out);

}  // namespace partywall::migrate
