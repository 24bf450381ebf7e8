#include "cache/transfer/scan.h"

namespace partywall::cache {
namespace {

Result<uint64_t> database_size(redis::Connection& connection) {
  const auto reply = connection.command({"DBSIZE"});
  if (!reply) return std::unexpected(reply.error());
  if (reply->kind != redis::Reply::Kind::kNumber)
    return fail(ErrorKind::kDenied, "DBSIZE: {}", redis::to_string(*reply));
  return static_cast<uint64_t>(reply->number);
}

}  // namespace

Result<uint64_t> count_keys(redis::Connection& connection, const KeySpace& space,
                            const TransferOptions& options) {
  if (auto selected = select_database(connection, space.database); !selected)
    return std::unexpected(selected.error());
  if (space.prefix.empty()) return database_size(connection);
  uint64_t count = 0;
  const auto scanned = scan_keys(connection, space, options.scan_count,
                                 [&](const std::vector<std::string>& keys) -> Result<> {
                                   count += keys.size();
                                   return {};
                                 });
  if (!scanned) return std::unexpected(scanned.error());
  return count;
}

Result<uint64_t> erase_keys(redis::Connection& connection, const KeySpace& space,
                            const TransferOptions& options) {
  if (auto selected = select_database(connection, space.database); !selected)
    return std::unexpected(selected.error());
  if (space.prefix.empty()) {
    const auto count = database_size(connection);
    if (!count) return count;
    if (auto flushed = connection.expect_ok({"FLUSHDB", "ASYNC"}); !flushed)
      return std::unexpected(flushed.error());
    return count;
  }
  uint64_t count = 0;
  const auto unlink = [&](const std::vector<std::string>& keys) -> Result<> {
    std::vector<std::string> words = {"UNLINK"};
    words.insert(words.end(), keys.begin(), keys.end());
    const auto reply = connection.command(words);
    if (!reply) return std::unexpected(reply.error());
    if (reply->kind != redis::Reply::Kind::kNumber)
      return fail(ErrorKind::kDenied, "UNLINK: {}", redis::to_string(*reply));
    count += static_cast<uint64_t>(reply->number);
    return {};
  };
  if (auto scanned = scan_keys(connection, space, options.scan_count, unlink); !scanned)
    return std::unexpected(scanned.error());
  return count;
}

}  // namespace partywall::cache
