#include "sql/slots/slot_keeper.h"

#include "engines/postgres.h"
#include "sql/schema/protect.h"

namespace partywall::sql {
namespace {

constexpr Duration kConnectTimeout = seconds(3);
constexpr Duration kStatementTimeout = seconds(3);

Result<bool> repair_as_provisioner(const SlotRepair& repair) {
  const SqlBackend& backend = repair.backend;
  auto connection = postgres::Connection::open({.endpoint = backend.endpoint,
                                                .database = backend.database,
                                                .user = backend.provisioner_role,
                                                .password = backend.provisioner_password,
                                                .connect_timeout = kConnectTimeout,
                                                .statement_timeout = kStatementTimeout});
  if (!connection) return fail_with_context("the provisioner's login", connection.error());
  if (repair.left_over_pid != 0)
    return end_left_over(*connection, backend.slots, repair.slot, repair.left_over_pid);
  if (auto mended = mend_slot(*connection, backend.slots, repair.slot); !mended)
    return std::unexpected(mended.error());
  return true;
}

}  // namespace

SlotKeeper::SlotKeeper() : SlotKeeper(repair_as_provisioner) {}

void SlotKeeper::submit(SlotRepair repair) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  waiting_.push_back(std::move(repair));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

void SlotKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    waiting_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void SlotKeeper::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopped_ || !waiting_.empty(); });
    if (is_stopped_) return;
    const SlotRepair next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next.done(repair_(next));
    lock.lock();
  }
}

}  // namespace partywall::sql
