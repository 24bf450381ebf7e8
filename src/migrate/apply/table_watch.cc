#include "migrate/apply/table_watch.h"

namespace partywall::migrate {
namespace {

std::string shown(const TableName& table) { return table.first + "." + table.second; }

std::unexpected<Error> is_new(const TableName& name, const TableName& root, bool is_in_stream) {
  if (is_in_stream && name != root) {
    return fail(ErrorKind::kConflict,
                "partition {} of {} is new: make it in the target too (partywall schema "
                "convert does) and follow again. If it was ATTACHed with rows in it, begin anew "
                "(partywall migrate forget, then copy again)",
                shown(name), shown(root));
  }
  return fail(ErrorKind::kConflict,
              "table {} was made in the source since it is followed, so that its rows are not "
              "in the stream. Bring the target up to date with partywall schema convert and "
              "begin anew (partywall migrate forget), or exclude the table in the rules",
              shown(name));
}

}  // namespace

Result<> check_followed(const FollowedTables& followed, const TableRoots& now,
                        const TableNames& published) {
  for (const auto& [name, root] : now) {
    if (followed.left_out.contains(name) || followed.left_out.contains(root)) continue;
    const bool is_in_stream = published.contains(root);
    const auto known = followed.source.find(name);
    if (known == followed.source.end()) return is_new(name, root, is_in_stream);
    if (is_in_stream || !followed.published.contains(known->second.root)) continue;
    // A publication holds tables, not names.
    return fail(ErrorKind::kConflict,
                "table {} is in the stream no longer: since it is followed it was dropped and made "
                "again, DETACHed, or taken out of the publication, and what was written to it "
                "after that is lost to the target. Begin anew: partywall migrate forget, then copy "
                "the rows again",
                shown(name));
  }
  return {};
}

}  // namespace partywall::migrate
