#include "store/control/idempotency.h"

namespace partywall::store {

Result<std::optional<SavedAnswer>> find_answer(Session& session, std::string_view principal,
                                               std::string_view key,
                                               std::string_view request_sha256) {
  const auto rows = session.execute(
      "SELECT request_sha256, status, body FROM partywall.idempotency_keys "
      "WHERE principal = $1 AND key = $2",
      {std::string(principal), std::string(key)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::optional<SavedAnswer>();
  if (rows->text(0, 0) != request_sha256)
    return fail(ErrorKind::kConflict, "this idempotency key was used for another request");
  return std::optional(SavedAnswer{.status = static_cast<uint32_t>(rows->number(0, 1)),
                                   .body = std::string(rows->text(0, 2))});
}

Result<> save_answer(Change& change, std::string_view principal, std::string_view key,
                     std::string_view request_sha256, const SavedAnswer& answer) {
  const auto saved = change.execute(
      "INSERT INTO partywall.idempotency_keys (principal, key, request_sha256, status, body) "
      "VALUES ($1, $2, $3, $4::int, $5) ON CONFLICT DO NOTHING",
      {std::string(principal), std::string(key), std::string(request_sha256),
       std::to_string(answer.status), answer.body});
  if (!saved) return std::unexpected(saved.error());
  if (saved->affected() == 0)
    return fail(ErrorKind::kConflict, "this idempotency key was used meanwhile; send it again");
  return {};
}

Result<uint64_t> remove_old_answers(Change& change, Duration age) {
  const auto age_ms = std::chrono::duration_cast<milliseconds>(age).count();
  const auto removed = change.execute(
      "DELETE FROM partywall.idempotency_keys WHERE created_at < now() - $1::bigint * interval "
      "'1 ms'",
      {std::to_string(age_ms)});
  if (!removed) return std::unexpected(removed.error());
  return removed->affected();
}

}  // namespace partywall::store
