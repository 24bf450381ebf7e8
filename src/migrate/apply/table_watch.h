#pragma once

#include "base/result.h"
#include "migrate/apply/publication_plan.h"
#include "migrate/apply/stream_table.h"

// Whether a stream still has every table that it should: tables come and go while it runs, and
// nothing in the stream tells of those that are in no publication. Pure.
namespace partywall::migrate {

// What was planned when the stream was opened.
struct FollowedTables {
  const StreamTables& source;
  const TableNames& published;  // without partitions
  const TableNames& left_out;
};

// kConflict, with what to do: the first table of `now` that is not in the stream, or that the
// target cannot have. `published`: what is in the publication now.
[[nodiscard]] Result<> check_followed(const FollowedTables& followed, const TableRoots& now,
                                      const TableNames& published);

}  // namespace partywall::migrate
