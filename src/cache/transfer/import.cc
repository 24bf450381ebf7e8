#include <algorithm>
#include <deque>

#include "cache/transfer/scan.h"

namespace partywall::cache {
namespace {

// A payload is checked deeply only where Redis is told to: one that was made by hand could
// otherwise break the server when the value is used.
Result<> check_sanitizing(redis::Connection& target) {
  const auto reply = target.command({"CONFIG", "GET", "sanitize-dump-payload"});
  if (!reply) return std::unexpected(reply.error());
  if (reply->items.size() == 2 && reply->items[1].text != "no") return {};
  return fail(ErrorKind::kDenied,
              "this Redis does not check what it restores (sanitize-dump-payload {}); run "
              "`partywall cache provision`, or set it to `clients`",
              reply->items.size() == 2 ? reply->items[1].text : redis::to_string(*reply));
}

// RESTORE in a row, of which only so many bytes are without an answer at once.
class Restorer {
 public:
  Restorer(redis::Connection& target, std::span<const KeySpace> spaces,
           const TransferOptions& options)
      : target_(target), spaces_(spaces), options_(options) {}

  Result<> add(const DumpedKey& dumped) {
    if (space_ == nullptr || space_->number != dumped.database) {
      if (auto entered = enter(dumped.database); !entered) return entered;
    }
    // Always behind the prefix, so that no name reaches anybody else's keys.
    const std::string key = space_->prefix + dumped.key;
    if (auto sent = target_.send({"RESTORE", key, std::to_string(dumped.expires_at_ms),
                                  dumped.payload, "ABSTTL", "REPLACE"});
        !sent) {
      return sent;
    }
    waiting_.push_back({key, key.size() + dumped.payload.size()});
    waiting_bytes_ += waiting_.back().bytes;
    while (waiting_bytes_ > options_.batch_bytes || waiting_.size() > kMaxWaiting) {
      if (auto taken = take_one(); !taken) return taken;
    }
    return {};
  }

  Result<> finish() {
    while (!waiting_.empty()) {
      if (auto taken = take_one(); !taken) return taken;
    }
    return {};
  }

 private:
  static constexpr size_t kMaxWaiting = 1024;
  struct Waiting {
    std::string key;
    uint64_t bytes = 0;
  };

  Result<> enter(uint32_t database) {
    const auto space = std::ranges::find(spaces_, database, &KeySpace::number);
    if (space == spaces_.end()) {
      return fail(ErrorKind::kInvalid,
                  "there are keys of database {}, and this tenant has the databases 0 to {}; raise "
                  "its limit (cache.databases)",
                  database, spaces_.size() - 1);
    }
    if (auto finished = finish(); !finished) return finished;
    space_ = &*space;
    return select_database(target_, space->database);
  }

  Result<> take_one() {
    const auto reply = target_.receive();
    if (!reply) return std::unexpected(reply.error());
    const Waiting done = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= done.bytes;
    if (reply->is_ok()) return {};
    return fail(ErrorKind::kInvalid, "key '{}' cannot be restored: {}", done.key,
                redis::to_string(*reply));
  }

  redis::Connection& target_;
  std::span<const KeySpace> spaces_;
  const KeySpace* space_ = nullptr;  // of the last key
  const TransferOptions& options_;
  std::deque<Waiting> waiting_;
  uint64_t waiting_bytes_ = 0;
};

}  // namespace

Result<TransferProgress> import_keys(redis::Connection& target, std::span<const KeySpace> spaces,
                                     const TransferOptions& options, DumpReader& reader, Pace& pace,
                                     const ProgressHook& progress) {
  if (auto checked = check_sanitizing(target); !checked) return std::unexpected(checked.error());
  Restorer restorer(target, spaces, options);
  TransferProgress done;
  DumpedKey key;
  while (true) {
    const auto more = reader.next(key);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (auto added = restorer.add(key); !added) return std::unexpected(added.error());
    done.keys += 1;
    done.bytes += key.payload.size();
    pace.moved(key.key.size() + key.payload.size());
    if (done.keys % options.scan_count == 0) progress(done);
  }
  if (auto finished = restorer.finish(); !finished) return std::unexpected(finished.error());
  progress(done);
  return done;
}

}  // namespace partywall::cache
