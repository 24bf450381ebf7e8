#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "engines/postgres_replication.h"
#include "migrate/apply/applier.h"
#include "migrate/apply/lag.h"
#include "migrate/apply/stream_setup.h"
#include "migrate/apply/target_session.h"

// Follows the changes of a source and applies them in the target: the thin part, with the sockets.
namespace partywall::migrate {

struct FollowStatus {
  Lsn applied;           // every transaction of the source that ends before it is in the target
  Lsn durable;           // and survives a crash there; the source keeps its log from here on
  Lsn source;            // where the source's log is
  ChangeCounts changes;  // since the follower was opened
  LagSummary lag;
  Duration interval{};  // of lag and of changes_applied
  uint64_t changes_applied = 0;
  bool in_transaction = false;  // a large one is being applied

  [[nodiscard]] uint64_t lag_bytes() const {
    return source > applied ? source.value - applied.value : 0;
  }
};

class FollowListener {
 public:
  virtual ~FollowListener() = default;
  virtual void on_status(const FollowStatus& status) = 0;
  // pg_logical_emit_message(true, 'partywall', content): everything that committed before it is
  // in the target.
  virtual void on_fence(const std::string& content, Lsn commit) = 0;
};

struct FollowSettings {
  StreamSettings stream;
  Duration status_interval = seconds(1);
  // run() reports at its end too, unless it has done so within that time.
  Duration least_between_reports{};
  // How often the source is asked for tables that are new.
  Duration table_check_interval = seconds(10);
  std::vector<int> wake_descriptors;  // run() ends when one of them can be read
};

enum class FollowEnd : uint8_t {
  kReached,  // everything that committed before `until` is in the target, and nothing after it
  kWoken,
};

class Follower {
 public:
  // A stream that was prepared. kUnavailable, and kConflict while an earlier follower of the stream
  // is still ending: try again. `listener` and `time` must outlive it.
  static Result<std::unique_ptr<Follower>> open(const FollowSettings& settings,
                                                const StreamPlan& plan, FollowListener& listener,
                                                const TimeSource& time);

  // Applies until then, or for ever. May be called again after kReached: what came after it was
  // kept. After a failure another Follower goes on exactly where the target has got to.
  Result<FollowEnd> run(std::optional<Lsn> until);

  [[nodiscard]] Lsn applied() const { return applied_; }

 private:
  Follower(const FollowSettings& settings, const StreamPlan& plan, FollowListener& listener,
           const TimeSource& time)
      : settings_(settings), plan_(plan), listener_(listener), time_(time) {}

  enum class Input : uint8_t { kDry, kMore, kReached };

  Result<> connect();
  Result<Input> take_input(std::optional<Lsn> until);
  Result<Input> take_frame(std::string_view frame, std::optional<Lsn> until);
  Result<Input> take_data(std::string_view payload, std::optional<Lsn> until);
  void on_applied(const TransactionEnd& end);
  Result<> report();
  Result<> mark(uint64_t gap);
  Result<> check_tables();
  Result<> send_status(ReplyWish reply);
  Result<bool> wait(Input input, Duration longest);
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] ServerTime now() const;

  FollowSettings settings_;
  const StreamPlan& plan_;
  FollowListener& listener_;
  const TimeSource& time_;
  std::optional<postgres::ReplicationConnection> source_;
  std::optional<postgres::Connection> questions_;  // to the source, beside the stream
  std::optional<TargetSession> target_;
  std::optional<Applier> applier_;
  pgoutput::Message message_;
  // The Begin of the transaction that run() must not apply yet.
  std::string held_;
  Lsn received_;  // the stream has shown everything before it
  Lsn applied_;
  Lsn source_lsn_;
  LagMeter lag_;
  bool reply_is_wanted_ = false;
  MonotonicTime reported_at_{};
  MonotonicTime tables_checked_at_{};
  MonotonicTime asked_at_{};
  uint64_t changes_reported_ = 0;
};

}  // namespace partywall::migrate
