#include "store/control/control_store.h"

#include "store/control/lease.h"
#include "store/control/migrate.h"

namespace partywall::store {
namespace {

// A process that was stopped in the middle of a change must not hold up all others for long.
constexpr const char* kSessionSettings =
    "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '8s'; "
    "SET TimeZone = 'UTC'; SET search_path = pg_catalog, pg_temp";
constexpr int kMostAttempts = 5;

bool is_worth_repeating(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01";
}

// Changes are made one after the other from their start, so that none has to be given up for
// another (see change_feed_sql).
constexpr const char* kLockHead = "SELECT FROM partywall.head FOR UPDATE";

}  // namespace

ControlStore::ControlStore(ControlStoreSettings settings, Random& random)
    : settings_(std::move(settings)), random_(random) {}
ControlStore::ControlStore(ControlStore&&) noexcept = default;
ControlStore::~ControlStore() = default;

Result<Session> ControlStore::session() {
  if (!connection_ || !connection_->is_open()) {
    connection_.reset();
    auto opened = postgres::Connection::open(settings_.connection);
    if (!opened) return fail_with_context("control store", opened.error());
    if (auto set = opened->execute_script(kSessionSettings); !set)
      return fail_with_context("control store", set.error());
    if (auto usable = check_schema(*opened); !usable)
      return fail_with_context("control store", usable.error());
    if (!settings_.listen_to.empty()) {
      const auto listens =
          opened->execute("LISTEN " + postgres::quote_identifier(settings_.listen_to));
      if (!listens) return fail_with_context("control store", listens.error());
    }
    connection_ = *std::move(opened);
  }
  return Session(*connection_, settings_.node_key, random_);
}

Result<> ControlStore::run(const Author& author, std::optional<int64_t> fence,
                           const std::function<Result<>(Change&)>& work) {
  for (int attempt = 1;; ++attempt) {
    if (auto usable = session(); !usable) return std::unexpected(usable.error());
    Change change(*connection_, settings_.node_key, random_, author);
    auto done = run_once(change, fence, work);
    if (done || attempt == kMostAttempts || !is_worth_repeating(change.failed_with())) return done;
  }
}

Result<> ControlStore::run_once(Change& change, std::optional<int64_t> fence,
                                const std::function<Result<>(Change&)>& work) {
  auto transaction =
      postgres::Transaction::begin(change.connection(), "ISOLATION LEVEL READ COMMITTED");
  if (!transaction) return fail_with_context("control store", transaction.error());
  if (auto locked = change.execute(kLockHead); !locked) return std::unexpected(locked.error());
  if (fence) {
    if (auto holds = check_fence(change, *fence); !holds) return holds;
  }
  if (auto worked = work(change); !worked) return worked;
  if (auto committed = transaction->commit(); !committed)
    return fail_with_context("control store", committed.error());
  return {};
}

}  // namespace partywall::store
