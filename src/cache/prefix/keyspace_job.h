#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"
#include "base/random.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {

// A command about all keys of one tenant, carried out step by step with SCAN: in prefix mode Redis
// knows only the keys of all its tenants together. One step is asked at a time, and none takes
// Redis long, so that a command about many keys waits its turn between everybody else's.
//
// It has SCAN's guarantee: it sees each key that is there from its beginning to its end, and may or
// may not see one that comes or goes meanwhile.
class KeyspaceJob {
 public:
  // Who asks Redis: only the keyspace user may SCAN, only the tenant's own removes its keys, and
  // only the index user reaches the index.
  enum class Asker : uint8_t { kKeyspaceUser, kTenant, kIndexUser };
  struct Step {
    Asker asker = Asker::kKeyspaceUser;
    std::string request;
  };

  virtual ~KeyspaceJob() = default;
  KeyspaceJob() = default;
  KeyspaceJob(const KeyspaceJob&) = delete;
  KeyspaceJob& operator=(const KeyspaceJob&) = delete;

  // What to ask next; nothing when it is done. To be called once before each answered().
  [[nodiscard]] virtual std::optional<Step> next() = 0;
  // The reply to the last step.
  virtual void answered(std::string_view reply) = 0;
  // For the client, once it is done.
  [[nodiscard]] virtual std::string answer(Protocol protocol) const = 0;
};

// Steps that go once through all keys that match.
class ScanWalk {
 public:
  // `first_cursor`: 0 for all of them; another one begins somewhere in the middle.
  ScanWalk(std::string prefix, std::string_view pattern, uint64_t first_cursor = 0);
  // Through all databases of a tenant, whose keys begin with the root (key_prefix.h).
  static ScanWalk through_all_databases(std::string root);

  [[nodiscard]] std::string request() const;
  // The keys of this step, with the prefix; nothing after an error, which problem() then tells.
  std::optional<std::vector<std::string_view>> take(std::string_view reply);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  // As a reply: "-ERR …\r\n".
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::string prefix_;
  std::string match_;
  uint64_t cursor_;
  bool all_databases_ = false;
  bool done_ = false;
  std::string problem_;
};

// DBSIZE. Exact for a tenant whose keys do not change meanwhile.
class CountKeys final : public KeyspaceJob {
 public:
  CountKeys(std::string prefix, Random& random) : walk_(std::move(prefix), "*"), hash_(random) {}
  std::optional<Step> next() override;
  void answered(std::string_view reply) override;
  std::string answer(Protocol protocol) const override;
  [[nodiscard]] uint64_t count() const { return count_; }  // once it is done

 private:
  void finish();

  ScanWalk walk_;
  KeyedHash hash_;
  // SCAN may give a key twice while Redis resizes its table.
  std::vector<uint64_t> seen_;
  uint64_t count_ = 0;
  std::string problem_;
};

// KEYS pattern.
class ListKeys final : public KeyspaceJob {
 public:
  ListKeys(std::string prefix, std::string_view pattern) : walk_(std::move(prefix), pattern) {}
  std::optional<Step> next() override;
  void answered(std::string_view reply) override;
  std::string answer(Protocol protocol) const override;

 private:
  ScanWalk walk_;
  std::vector<std::string> keys_;  // without the prefix
  size_t bytes_ = 0;
  std::string problem_;
};

// RANDOMKEY: the first keys behind a random place, and one of them.
class PickRandomKey final : public KeyspaceJob {
 public:
  PickRandomKey(std::string prefix, Random& random);
  std::optional<Step> next() override;
  void answered(std::string_view reply) override;
  std::string answer(Protocol protocol) const override;

 private:
  Random& random_;
  ScanWalk walk_;
  bool from_the_beginning_ = false;  // the part before the random place
  std::optional<std::string> key_;
  std::string problem_;
};

// FLUSHDB and FLUSHALL: removes what a walk finds, in the background of Redis, and from the index
// what is gone then.
class RemoveKeys final : public KeyspaceJob {
 public:
  explicit RemoveKeys(ScanWalk walk) : walk_(std::move(walk)) {}
  std::optional<Step> next() override;
  void answered(std::string_view reply) override;
  std::string answer(Protocol protocol) const override;

 private:
  ScanWalk walk_;
  std::string removal_;                 // the UNLINK that follows the last step
  std::vector<std::string> clean_ups_;  // of indexes, after that
  Asker asked_ = Asker::kKeyspaceUser;
  std::string problem_;
};

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the client's own steps, several at once
// while they find nothing, because most of the keys that SCAN passes are other tenants'.
class ScanStep final : public KeyspaceJob {
 public:
  ScanStep(std::string prefix, const Request& request);
  std::optional<Step> next() override;
  void answered(std::string_view reply) override;
  std::string answer(Protocol) const override { return answer_; }

 private:
  std::string prefix_;
  std::string cursor_;
  std::string rest_;  // the arguments behind the cursor, as bulk strings
  size_t arguments_ = 0;
  uint32_t steps_ = 0;
  std::string answer_;
};

}  // namespace partywall::cache
