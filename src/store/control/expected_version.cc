#include "store/control/expected_version.h"

namespace partywall::store {

Result<uint64_t> version_of(Session& session, std::string_view table, std::string_view column,
                            std::string_view key) {
  const auto rows = session.execute(
      fmt::format("SELECT version FROM partywall.{} WHERE {}::text = $1", table, column),
      {std::string(key)});
  if (!rows) return std::unexpected(rows.error());
  return rows->empty() ? 0 : static_cast<uint64_t>(rows->number(0));
}

Result<> check_version(std::string_view what, uint64_t version, ExpectedVersion expected) {
  if (!expected || *expected == version) return {};
  if (*expected == 0) return fail(ErrorKind::kConflict, "{} is there already", what);
  if (version == 0) return fail(ErrorKind::kConflict, "{} was removed meanwhile", what);
  return fail(ErrorKind::kConflict,
              "{} was changed meanwhile: it is at version {}, not {}; read it again", what, version,
              *expected);
}

Result<> remove_row(Change& change, std::string_view table, std::string_view column,
                    std::string_view key, std::string_view what, ExpectedVersion expected) {
  const auto version = version_of(change, table, column, key);
  if (!version) return std::unexpected(version.error());
  if (*version == 0) return fail(ErrorKind::kNotFound, "there is no {}", what);
  if (auto checked = check_version(what, *version, expected); !checked) return checked;
  const auto removed =
      change.execute(fmt::format("DELETE FROM partywall.{} WHERE {}::text = $1", table, column),
                     {std::string(key)});
  if (!removed) return fail_with_context(what, removed.error());
  return {};
}

}  // namespace partywall::store
