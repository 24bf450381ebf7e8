#include "store/control/lease.h"

namespace partywall::store {

Result<Lease> acquire_lease(Session& session, std::string_view name, std::string_view holder,
                            int64_t known_fence, Duration lifetime) {
  const auto lifetime_ms = std::chrono::duration_cast<milliseconds>(lifetime).count();
  const auto taken = session.execute(
      "INSERT INTO partywall.leases AS l (name, holder, fence, expires_at) "
      "VALUES ($1, $2, 1, clock_timestamp() + $4::bigint * interval '1 ms') "
      "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, "
      "  fence = CASE WHEN l.fence = $3::bigint AND l.holder = excluded.holder THEN l.fence "
      "               ELSE l.fence + 1 END, "
      "  expires_at = clock_timestamp() + $4::bigint * interval '1 ms' "
      "WHERE l.expires_at < clock_timestamp() OR l.holder = excluded.holder "
      "RETURNING holder, fence",
      {std::string(name), std::string(holder), std::to_string(known_fence),
       std::to_string(lifetime_ms)});
  if (!taken) return std::unexpected(taken.error());
  if (!taken->empty())
    return Lease{.holder = std::string(taken->text(0, 0)), .fence = taken->number(0, 1)};
  const auto held = session.execute("SELECT holder, fence FROM partywall.leases WHERE name = $1",
                                    {std::string(name)});
  if (!held) return std::unexpected(held.error());
  if (held->empty()) return fail(ErrorKind::kUnavailable, "lease {} was removed", name);
  return Lease{.holder = std::string(held->text(0, 0)), .fence = held->number(0, 1)};
}

Result<> release_lease(Session& session, std::string_view name, int64_t fence) {
  const auto released = session.execute(
      "UPDATE partywall.leases SET expires_at = '-infinity' WHERE name = $1 AND fence = $2::bigint",
      {std::string(name), std::to_string(fence)});
  if (!released) return std::unexpected(released.error());
  return {};
}

Result<> check_fence(Session& session, int64_t fence) {
  const auto held = session.execute(
      "SELECT FROM partywall.leases WHERE name = $1 AND fence = $2::bigint FOR SHARE",
      {std::string(kControlLease), std::to_string(fence)});
  if (!held) return std::unexpected(held.error());
  if (held->empty())
    return fail(ErrorKind::kDenied, "another control instance leads now; nothing was written");
  return {};
}

}  // namespace partywall::store
