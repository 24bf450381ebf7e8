#include "migrate/run/common_place.h"

#include <deque>
#include <thread>

#include <poll.h>

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::ReplicationConnection;

// Between two looks at where the source's log is.
constexpr int kLookEveryMs = 10;
constexpr Duration kTellAfter = seconds(1);

// Makes a slot in a thread of its own, because that waits for transactions. Given up when this is
// destroyed before it is there.
class SlotInTheMaking {
 public:
  SlotInTheMaking(ReplicationConnection connection, std::string name)
      : thread_([this, connection = std::move(connection),
                 name = std::move(name)](const std::stop_token& stop) mutable {
          slot_ = NewSlot::create_temporary(
              std::move(connection), name, [&] { return !stop.stop_requested(); },
              milliseconds(20));
          done_.signal();
        }) {}

  // Waits a moment for it.
  [[nodiscard]] bool is_done() const {
    pollfd waiting{.fd = done_.descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, kLookEveryMs) > 0;
  }

  // Only once it is done.
  Result<NewSlot> take() {
    thread_.join();
    return *std::move(slot_);
  }

 private:
  WakeSignal done_;
  std::optional<Result<NewSlot>> slot_;
  std::jthread thread_;
};

class PlaceFinder {
 public:
  PlaceFinder(SteadyStream& stream, const CommonPlaceTask& task, const TimeSource& time,
              const OnOpenTransactions& on_open)
      : stream_(stream),
        task_(task),
        time_(time),
        on_open_(on_open),
        common_(new CommonPlace{.pictures = {Snapshot(task.source, WhenLost::kFail),
                                             Snapshot(task.target, WhenLost::kFail)},
                                .place = {}}) {}

  Result<std::unique_ptr<CommonPlace>> find() {
    // Connections are made before anything waits.
    auto replication = ReplicationConnection::open(task_.source);
    if (!replication) return fail_with_context("source", replication.error());
    auto questions = open_session(task_.source);
    if (!questions) return fail_with_context("source", questions.error());
    if (auto connected = common_->pictures.source.connect(); !connected)
      return fail_with_context("source", connected.error());
    if (auto connected = common_->pictures.target.connect(); !connected)
      return fail_with_context("target", connected.error());

    began_ = behind_since_ = time_.monotonic();
    SlotInTheMaking making(*std::move(replication), task_.slot);
    while (!making.is_done()) {
      const auto end = go_on_behind(*questions);
      if (!end) return std::unexpected(end.error());
      if (*end == FollowEnd::kWoken) return nullptr;
    }
    const auto slot = making.take();
    if (!slot) return std::unexpected(slot.error());
    return meet(slot->slot());
  }

 private:
  struct Look {
    MonotonicTime at;
    Lsn place;
  };

  // What had committed a while ago is applied.
  Result<FollowEnd> go_on_behind(Connection& source) {
    const MonotonicTime now = time_.monotonic();
    const auto flushed = source.execute("SELECT pg_current_wal_flush_lsn()");
    if (!flushed) return fail_with_context("source", flushed.error());
    const auto place = parse_lsn(flushed->text(0));
    if (!place) return std::unexpected(place.error());
    looks_.push_back({now, *place});
    while (!looks_.empty() && now - looks_.front().at >= task_.delay) {
      behind_since_ = looks_.front().at;
      released_ = looks_.front().place;
      looks_.pop_front();
    }
    if (now - began_ >= kTellAfter && now - told_at_ >= kTellAfter) {
      told_at_ = now;
      on_open_(open_transactions(source));
    }
    return released_ > Lsn{} ? run_a_moment() : FollowEnd::kReached;
  }

  // Where the log is flushed may be in the middle of a record, whose end comes any time later.
  Result<FollowEnd> run_a_moment() {
    task_.timer.set(milliseconds(kLookEveryMs));
    auto end = stream_.run(released_);
    const bool is_over = task_.timer.has_come();
    task_.timer.clear();
    if (end && *end == FollowEnd::kWoken && is_over) return FollowEnd::kReached;
    return end;
  }

  Result<std::unique_ptr<CommonPlace>> meet(const ReplicationSlot& slot) {
    if (released_ > slot.consistent_lsn) return nullptr;
    if (auto adopted = common_->pictures.source.adopt(slot.snapshot_name); !adopted)
      return fail_with_context("source", adopted.error());
    common_->place = slot.consistent_lsn;
    const auto end = stream_.run(common_->place);
    if (!end) return std::unexpected(end.error());
    if (*end == FollowEnd::kWoken) return nullptr;
    if (auto taken = common_->pictures.target.take(); !taken)
      return fail_with_context("target", taken.error());
    common_->held = time_.monotonic() - behind_since_;
    return std::move(common_);
  }

  SteadyStream& stream_;
  const CommonPlaceTask& task_;
  const TimeSource& time_;
  const OnOpenTransactions& on_open_;
  std::unique_ptr<CommonPlace> common_;
  std::deque<Look> looks_;
  Lsn released_;  // the stream has everything before it, and nothing from later
  MonotonicTime began_;
  MonotonicTime behind_since_;  // what committed before then was applied without waiting longer
  MonotonicTime told_at_;
};

}  // namespace

Result<std::unique_ptr<CommonPlace>> find_common_place(SteadyStream& stream,
                                                       const CommonPlaceTask& task,
                                                       const TimeSource& time,
                                                       const OnOpenTransactions& on_open) {
  return PlaceFinder(stream, task, time, on_open).find();
}

}  // namespace partywall::migrate
