#include "cache/transfer/scan.h"

namespace partywall::cache {

Result<> select_database(redis::Connection& connection, uint32_t database) {
  return connection.expect_ok({"SELECT", std::to_string(database)});
}

Result<> scan_keys(redis::Connection& connection, const KeySpace& space, uint32_t count,
                   const std::function<Result<>(const std::vector<std::string>& keys)>& take) {
  std::string cursor = "0";
  do {
    const auto reply = connection.command(
        {"SCAN", cursor, "MATCH", space.pattern(), "COUNT", std::to_string(count)});
    if (!reply) return std::unexpected(reply.error());
    if (reply->items.size() != 2)
      return fail(ErrorKind::kDenied, "SCAN: {}", redis::to_string(*reply));
    cursor = reply->items[0].text;
    std::vector<std::string> keys;
    for (const redis::Reply& key : reply->items[1].items) {
      // Whatever the pattern matches: nothing without the prefix is the tenant's.
      if (space.holds(key.text)) keys.push_back(key.text);
    }
    if (keys.empty()) continue;
    if (auto taken = take(keys); !taken) return taken;
  } while (cursor != "0");
  return {};
}

}  // namespace partywall::cache
