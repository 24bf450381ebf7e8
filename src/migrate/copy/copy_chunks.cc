#include "migrate/copy/copy_chunks.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "cache/transfer/pace.h"
#include "migrate/passing.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresError;

// The chunks of one relation that nobody has begun, and how many workers have one.
struct Queue {
  std::deque<const Chunk*> waiting;
  uint32_t workers = 0;
};

// What the workers share.
class Work {
 public:
  Work(const CopyTask& task, const CopySettings& settings, const TimeSource& time)
      : pace_(settings.bytes_per_second, time, settings.sleep) {
    std::map<std::string_view, size_t> places;
    for (const Chunk& chunk : task.chunks) {
      const auto [place, is_new] = places.try_emplace(chunk.relation, queues_.size());
      if (is_new) queues_.emplace_back();
      queues_[place->second].waiting.push_back(&chunk);
    }
  }

  // The next of the relation that the fewest work on: rows that come in the order of a key are
  // appended to its index, rows from two places at once split its pages.
  const Chunk* next() {
    const std::lock_guard lock(mutex_);
    Queue* best = nullptr;
    for (Queue& queue : queues_) {
      if (queue.waiting.empty() || error_) continue;
      if (best == nullptr || queue.workers < best->workers) best = &queue;
    }
    if (best == nullptr) return nullptr;
    const Chunk* const chunk = best->waiting.front();
    best->waiting.pop_front();
    ++best->workers;
    queue_of_.emplace(chunk, best);
    return chunk;
  }

  void leave(const Chunk* chunk) {
    const std::lock_guard lock(mutex_);
    --queue_of_.extract(chunk).mapped()->workers;
  }

  void stop(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  void refuse(const Chunk& chunk, std::string message) {
    const std::lock_guard lock(mutex_);
    outcome_.refused.emplace(chunk.relation, std::move(message));
    queue_of_.at(&chunk)->waiting.clear();
  }

  [[nodiscard]] bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return error_.has_value();
  }

  // Whoever is ahead of the rate waits here, and all others with it.
  void moved(uint64_t bytes) {
    const std::lock_guard lock(pace_mutex_);
    pace_.moved(bytes);
  }

  Result<CopyOutcome> outcome() {
    const std::lock_guard lock(mutex_);
    if (error_) return std::unexpected(*error_);
    return std::move(outcome_);
  }

 private:
  std::mutex mutex_;
  std::vector<Queue> queues_;                // in the order of the relations
  std::map<const Chunk*, Queue*> queue_of_;  // of chunks that a worker has
  CopyOutcome outcome_;
  std::optional<Error> error_;
  std::mutex pace_mutex_;
  cache::Pace pace_;
};

bool is_refusal(const PostgresError& error) { return error.sqlstate.starts_with("23"); }

// Connections that were lost or are not to be had, and servers that lack something for a while.
// A row that is too long (kLimit too) is so the next time.
bool is_passing(const PostgresError& error) {
  return error.kind == ErrorKind::kTimeout ||
         (may_pass(error) && error.kind != ErrorKind::kLimit) || error.sqlstate.starts_with("53");
}

class Worker {
 public:
  Worker(const CopyTask& task, Snapshot& source, const CopySettings& settings, Work& work,
         CopyObserver& observer)
      : task_(task), snapshot_(source), settings_(settings), work_(work), observer_(observer) {}

  void run() {
    while (const Chunk* chunk = work_.next()) {
      copy(*chunk);
      work_.leave(chunk);
    }
  }

 private:
  void copy(const Chunk& chunk) {
    for (uint32_t failures = 0; !work_.is_stopped();) {
      rows_ = bytes_ = 0;
      const auto copied = try_copy(chunk);
      if (copied) {
        observer_.chunk_done(chunk);
        return;
      }
      source_.reset();
      target_.reset();
      const PostgresError& error = copied.error();
      const bool again = is_passing(error) && ++failures < settings_.max_failures;
      const Duration pause = again ? backoff_pause(settings_.backoff, failures) : Duration{};
      observer_.interrupted(chunk, rows_, bytes_, error, pause);
      if (is_refusal(error)) {
        work_.refuse(chunk, error.message);
        return;
      }
      if (!again) {
        work_.stop({error.kind, fmt::format("copying {}: {}", chunk.relation, error.message)});
        return;
      }
      settings_.sleep(pause);
    }
  }

  postgres::PostgresResult<Claim> try_copy(const Chunk& chunk) {
    if (auto connected = connect(); !connected) {
      const Error& error = connected.error();
      return std::unexpected(
          PostgresError(may_pass(error) ? ErrorKind::kUnavailable : error.kind, error.message));
    }
    const ChunkCopy copy{.source = *source_,
                         .target = *target_,
                         .tenant = task_.migration.tenant,
                         .tenant_column = task_.migration.tenant_column,
                         .piece_bytes = settings_.piece_bytes,
                         .moved = [&](uint64_t rows, uint64_t bytes) {
                           rows_ += rows;
                           bytes_ += bytes;
                           observer_.moved(chunk.relation, rows, bytes);
                           work_.moved(bytes);
                         }};
    return copy_chunk(copy, task_.relations.at(chunk.relation), chunk);
  }

  Result<> connect() {
    if (!source_) {
      auto joined = snapshot_.join();
      if (!joined) return fail_with_context("source", joined.error());
      source_ = *std::move(joined);
    }
    if (!target_) {
      auto opened = open_loader(task_.target);
      if (!opened) return fail_with_context("target", opened.error());
      target_ = *std::move(opened);
    }
    return {};
  }

  const CopyTask& task_;
  Snapshot& snapshot_;
  const CopySettings& settings_;
  Work& work_;
  CopyObserver& observer_;
  std::optional<Connection> source_;
  std::optional<Connection> target_;
  uint64_t rows_ = 0;  // of the chunk at hand
  uint64_t bytes_ = 0;
};

}  // namespace

Result<CopyOutcome> copy_chunks(const CopyTask& task, Snapshot& source,
                                const CopySettings& settings, const TimeSource& time,
                                CopyObserver& observer) {
  Work work(task, settings, time);
  {
    std::vector<std::jthread> threads;
    const size_t count = std::clamp<size_t>(task.chunks.size(), 1, settings.workers);
    for (size_t i = 0; i < count; ++i) {
      threads.emplace_back([&] { Worker(task, source, settings, work, observer).run(); });
    }
  }
  return work.outcome();
}

}  // namespace partywall::migrate
