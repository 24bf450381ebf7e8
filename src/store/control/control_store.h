#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engines/postgres.h"
#include "identity/sealing_key.h"
#include "store/control/session.h"

namespace partywall::store {

struct ControlStoreSettings {
  postgres::ConnectionSettings connection;
  SealingKey node_key;
  std::string listen_to{};  // channel that each connection listens to; empty: none
};

// The control store: one PostgreSQL database with the schema `partywall`. One object a thread; it
// connects when it is needed and again after the connection is lost. Reading:
//
//   auto session = store.session();            // Result<Session>
//   auto tenant = find_tenant(*session, "acme");
//
// Changing: everything that the function does is one transaction, which gets one version:
//
//   auto done = store.change(author, [&](Change& change) -> Result<> {
//     return set_tenant_status(change, id, TenantStatus::kSuspended, expected_version);
//   });
//
// Functions that read: tenants.h, tiers.h, cells.h, access.h, operations.h, events.h. All of them
// work in a Change too.
class ControlStore {
 public:
  // `random` outlives the store. Nothing is connected yet.
  ControlStore(ControlStoreSettings settings, Random& random);
  ControlStore(ControlStore&&) noexcept;
  ~ControlStore();

  // kUnavailable while PostgreSQL cannot be reached; kInvalid where its schema is not that of this
  // release (see migrate.h).
  Result<Session> session();

  // Runs `work` in a transaction and commits if it succeeds; rolls back and returns its failure
  // otherwise. Where PostgreSQL gives up a transaction for the sake of another (40001, 40P01) it is
  // run again, so `work` must have no effect but on the store. kUnavailable from the commit itself
  // leaves open whether it was done: callers look, or use an idempotency key.
  template <class Work>
    requires std::invocable<Work&, Change&>
  std::invoke_result_t<Work&, Change&> change(const Author& author, Work work) {
    std::invoke_result_t<Work&, Change&> result;
    const auto done = run(author, std::nullopt, [&](Change& change) -> Result<> {
      result = work(change);
      if (!result) return std::unexpected(result.error());
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return result;
  }

  // The same for a leader: the transaction holds the lease's row, and fails with kDenied if
  // somebody else has got the lease since (lease.h).
  template <class Work>
    requires std::invocable<Work&, Change&>
  std::invoke_result_t<Work&, Change&> change_as_leader(const Author& author, int64_t fence,
                                                        Work work) {
    std::invoke_result_t<Work&, Change&> result;
    const auto done = run(author, fence, [&](Change& change) -> Result<> {
      result = work(change);
      if (!result) return std::unexpected(result.error());
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return result;
  }

 private:
  Result<> run(const Author& author, std::optional<int64_t> fence,
               const std::function<Result<>(Change&)>& work);
  static Result<> run_once(Change& change, std::optional<int64_t> fence,
                           const std::function<Result<>(Change&)>& work);

  ControlStoreSettings settings_;
  Random& random_;
  std::optional<postgres::Connection> connection_;
};

}  // namespace partywall::store
