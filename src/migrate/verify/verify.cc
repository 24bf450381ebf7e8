#include "migrate/verify/verify.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <thread>

#include "migrate/copy/session.h"
#include "migrate/verify/read_side.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

enum Side : uint8_t { kSource, kTarget };
constexpr std::array kSides{kSource, kTarget};

// Both databases, each as one snapshot shows it.
class Databases {
 public:
  Databases(const VerifyTask& task, ComparedPictures& pictures)
      : task_(task), snapshots_{&pictures.source, &pictures.target} {}

  Result<Connection> join(Side side) {
    auto connection = snapshots_[side]->join();
    const std::string_view name = side == kSource ? "source" : "target";
    if (!connection) return fail_with_context(name, connection.error());
    if (snapshots_[side]->taken() > 1) {
      return fail(ErrorKind::kUnavailable,
                  "the connection that held the snapshot of the {} was lost: compare again", name);
    }
    return connection;
  }

  [[nodiscard]] RowFilter filter(Side side) const {
    if (side == kSource) return {};
    return {.tenant_column = task_.tenant_column, .tenant = task_.tenant.to_string()};
  }

 private:
  const VerifyTask& task_;
  std::array<Snapshot*, 2> snapshots_;
};

// One side of one relation is a job: so both servers work at a time.
class Jobs {
 public:
  explicit Jobs(size_t relations) : count_(2 * relations) {}

  std::optional<size_t> next() {
    const std::lock_guard lock(mutex_);
    if (error_ || place_ == count_) return std::nullopt;
    return place_++;
  }

  void stop(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  [[nodiscard]] std::optional<Error> error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  std::mutex mutex_;
  size_t count_;
  size_t place_ = 0;
  std::optional<Error> error_;
};

class Verification {
 public:
  Verification(const VerifyTask& task, ComparedPictures& pictures, const VerifySettings& settings,
               VerifyObserver& observer, std::stop_token stop)
      : task_(task),
        settings_(settings),
        observer_(observer),
        stop_(std::move(stop)),
        databases_(task, pictures),
        jobs_(task.relations.size()),
        digests_(task.relations.size()),
        verdicts_(task.relations.size()) {}

  Result<Verdict> run() {
    // Taken before the workers begin, so that both are of about the same time.
    for (const Side side : kSides) {
      if (auto held = databases_.join(side); !held) return std::unexpected(held.error());
    }
    {
      std::vector<std::jthread> threads;
      for (uint32_t i = 0; i < std::max(settings_.workers, 1U); ++i)
        threads.emplace_back([this] { work(); });
    }
    if (const auto error = jobs_.error()) return std::unexpected(*error);
    auto target = databases_.join(kTarget);
    if (!target) return std::unexpected(target.error());
    auto references = find_broken_references(*target, task_.tenant, task_.tenant_column);
    if (!references) return std::unexpected(references.error());
    return Verdict{std::move(verdicts_), *std::move(references)};
  }

 private:
  // A connection to either side, made when it is needed.
  class Worker {
   public:
    explicit Worker(Databases& databases) : databases_(databases) {}

    Result<Connection*> to(Side side) {
      if (!connections_[side]) {
        auto joined = databases_.join(side);
        if (!joined) return std::unexpected(joined.error());
        connections_[side] = *std::move(joined);
      }
      return &*connections_[side];
    }

   private:
    Databases& databases_;
    std::array<std::optional<Connection>, 2> connections_;
  };

  void work() {
    Worker worker(databases_);
    while (const auto job = jobs_.next()) {
      const size_t number = *job / 2;
      auto done = read(worker, number, *job % 2 == 0 ? kSource : kTarget);
      if (!done) {
        jobs_.stop({done.error().kind, fmt::format("comparing {}: {}", task_.relations[number].name,
                                                   done.error().message)});
      }
    }
  }

  Result<> read(Worker& worker, size_t number, Side side) {
    const auto connection = worker.to(side);
    if (!connection) return std::unexpected(connection.error());
    auto digest =
        read_digest(**connection, task_.relations[number], databases_.filter(side), stop_);
    if (!digest) return std::unexpected(digest.error());
    if (!put(number, side, *std::move(digest))) return {};
    return compare(worker, number);
  }

  // True for the side that comes second.
  bool put(size_t number, Side side, TableDigest digest) {
    const std::lock_guard lock(mutex_);
    auto& both = digests_[number];
    both[side] = std::move(digest);
    return both[kSource].has_value() && both[kTarget].has_value();
  }

  Result<> compare(Worker& worker, size_t number) {
    RelationVerdict& verdict = verdicts_[number];
    const TableDigest& source = *digests_[number][kSource];
    const TableDigest& target = *digests_[number][kTarget];
    verdict.relation = task_.relations[number].name;
    verdict.source = source.total();
    verdict.target = target.total();
    std::vector<size_t> buckets = source.differing(target);
    verdict.is_equal = buckets.empty();
    if (!verdict.is_equal) {
      verdict.has_more = keep_what_can_be_held(source, target, buckets);
      if (auto found = find_differences(worker, number, buckets); !found) return found;
    }
    digests_[number] = {};
    observer_.compared(verdict);
    return {};
  }

  // True if some had to be left out.
  bool keep_what_can_be_held(const TableDigest& source, const TableDigest& target,
                             std::vector<size_t>& buckets) const {
    uint64_t rows = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      rows += source.bucket(buckets[i]).rows + target.bucket(buckets[i]).rows;
      if (rows <= settings_.max_held || i == 0) continue;
      buckets.resize(i);
      return true;
    }
    return false;
  }

  Result<> find_differences(Worker& worker, size_t number, const std::vector<size_t>& buckets) {
    std::array<KeyedRows, 2> rows;
    for (const Side side : kSides) {
      const auto connection = worker.to(side);
      if (!connection) return std::unexpected(connection.error());
      auto read =
          read_rows(**connection, task_.relations[number], databases_.filter(side), buckets, stop_);
      if (!read) return std::unexpected(read.error());
      rows[side] = *std::move(read);
    }
    RelationVerdict& verdict = verdicts_[number];
    verdict.differences = find_row_differences(rows[kSource], rows[kTarget]);
    if (verdict.differences.size() > settings_.max_listed) {
      verdict.differences.resize(settings_.max_listed);
      verdict.has_more = true;
    }
    return {};
  }

  const VerifyTask& task_;
  const VerifySettings& settings_;
  VerifyObserver& observer_;
  std::stop_token stop_;
  Databases databases_;
  Jobs jobs_;
  std::mutex mutex_;
  std::vector<std::array<std::optional<TableDigest>, 2>> digests_;
  std::vector<RelationVerdict> verdicts_;
};

}  // namespace

bool Verdict::is_equal() const { return rows_are_equal() && references.empty(); }

bool Verdict::rows_are_equal() const {
  return std::ranges::all_of(relations, &RelationVerdict::is_equal);
}

uint64_t Verdict::rows() const {
  uint64_t count = 0;
  for (const RelationVerdict& one : relations) count += one.source.rows;
  return count;
}

Result<Verdict> verify(const VerifyTask& task, const VerifySettings& settings,
                       VerifyObserver& observer) {
  ComparedPictures pictures{Snapshot(task.source), Snapshot(task.target)};
  return verify(task, pictures, settings, observer, {});
}

Result<Verdict> verify(const VerifyTask& task, ComparedPictures& pictures,
                       const VerifySettings& settings, VerifyObserver& observer,
                       const std::stop_token& stop) {
  return Verification(task, pictures, settings, observer, stop).run();
}

}  // namespace partywall::migrate
