#pragma once

#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "migrate/apply/change_statement.h"
#include "migrate/apply/pgoutput.h"
#include "migrate/apply/route.h"
#include "migrate/apply/stream_table.h"

// From the messages of a change stream to statements of the target: decides, and does no I/O of
// its own.
namespace partywall::migrate {

// Everybody who may connect to the source can write such messages: what is no fence is passed over.
inline constexpr size_t kLongestFence = 200;  // bytes
inline constexpr size_t kMostFences = 16;     // of a transaction

// A transaction of the source that the stream holds no more of.
struct TransactionEnd {
  Lsn commit;
  Lsn end;
  ServerTime committed_at;
  // Of its transactional logical messages with the fence's prefix, in their order: those that are
  // not longer than kLongestFence, and of them the first kMostFences.
  std::vector<std::string> fences;
};

// The target. Everything is done in the order of the calls, and nothing after a failure.
class ApplySink {
 public:
  virtual ~ApplySink() = default;
  virtual Result<> begin() = 0;
  // `values` live until the call returns, and none of them is of the kind kUnchanged.
  virtual Result<> change(const ChangeStatement& statement,
                          std::span<const pgoutput::Value> values) = 0;
  virtual Result<> commit(TransactionEnd end) = 0;
  // The transaction had nothing for the target: begin() was not called.
  virtual Result<> pass(TransactionEnd end) = 0;
};

struct ApplierSettings {
  TenantColumns tenant;
  // Transactions that came to the source from there are passed over: they are what the stream in
  // the other direction applied.
  std::string skipped_origin;
  // Changes of a table that committed before are in its rows already: it was copied as the source
  // was there. Tables that are not named here have no such place.
  TableBeginnings begins;
  std::string fence_prefix = "partywall";
  size_t max_relations = 65'536;
  // Different statements that are kept prepared; beyond them each is parsed every time.
  size_t max_statements = 4'096;
};

struct ChangeCounts {
  uint64_t inserts = 0, updates = 0, deletes = 0, truncates = 0;
  uint64_t foreign = 0;  // of other tenants, left out

  [[nodiscard]] uint64_t applied() const { return inserts + updates + deletes + truncates; }
};

class Applier {
 public:
  // How format_type shows a type of the source.
  using TypeText = std::function<Result<std::string>(uint32_t type, int32_t modifier)>;

  // `target` and `sink` must outlive it.
  Applier(ApplierSettings settings, const StreamTables& target, TypeText type_text,
          ApplySink& sink);

  // After a failure the stream must begin anew where the target has got to, with another Applier.
  Result<> take(const pgoutput::Message& message);

  // Between a Begin and its Commit.
  [[nodiscard]] bool in_transaction() const { return state_ != State::kIdle; }
  [[nodiscard]] const ChangeCounts& counts() const { return counts_; }

 private:
  enum class State : uint8_t {
    kIdle,
    kBegun,     // nothing of it was for the target yet
    kOpen,      // the target's transaction has begun
    kSkipping,  // it came from the origin that is passed over
  };

  struct PreparedRoute {
    Route route;
    ChangeStatement insert, remove, remove_all;
    // By which columns are set, and where the key is.
    std::unordered_map<std::string, ChangeStatement> updates;
  };
  struct KnownRelation {
    std::string shape;  // as the stream described it
    // A relation that cannot be applied fails when a row of it comes, not before.
    Result<PreparedRoute> route;
    Lsn begins;
  };

  enum class Ownership : uint8_t { kOurs, kForeign };

  Result<> take(const pgoutput::Begin& begin);
  Result<> take(const pgoutput::Commit& commit);
  Result<> take(const pgoutput::Origin& origin);
  Result<> take(const pgoutput::Relation& relation);
  Result<> take(const pgoutput::Type&) { return {}; }
  Result<> take(const pgoutput::Insert& insert);
  Result<> take(const pgoutput::Update& update);
  Result<> take(const pgoutput::Delete& deletion);
  Result<> take(const pgoutput::Truncate& truncate);
  Result<> take(const pgoutput::LogicalMessage& message);

  // Whether a change of it is not for the target, or is there already.
  [[nodiscard]] bool is_passed_over(pgoutput::RelationId id) const;
  Result<PreparedRoute> prepare(const pgoutput::Relation& relation);
  Result<PreparedRoute*> find(pgoutput::RelationId id, const pgoutput::Tuple& row);
  Result<PreparedRoute*> find(pgoutput::RelationId id);
  Result<Ownership> owner_of(const Route& route, const pgoutput::Tuple& row) const;
  Result<> insert_row(PreparedRoute& known, const pgoutput::Tuple& row);
  Result<> delete_row(PreparedRoute& known, const pgoutput::Tuple& old_row);
  Result<> update_row(PreparedRoute& known, const pgoutput::Update& update);
  ChangeStatement& update_statement_for(PreparedRoute& known, const pgoutput::Update& update,
                                        bool& sets_something);
  Result<> open();
  Result<> send(const Route& route, const ChangeStatement& statement,
                const pgoutput::Tuple* old_row, const pgoutput::Tuple* row);
  ChangeStatement numbered(ChangeStatement statement);

  ApplierSettings settings_;
  const StreamTables& target_;
  TypeText type_text_;
  ApplySink& sink_;
  State state_ = State::kIdle;
  Lsn commit_;
  std::vector<std::string> fences_;
  std::unordered_map<pgoutput::RelationId, KnownRelation> relations_;
  uint32_t statements_ = 0;
  ChangeCounts counts_;
  std::vector<pgoutput::Value> values_;
  std::string shape_;
};

// Of ChangeStatement::number: it is not kept prepared.
inline constexpr uint32_t kNotPrepared = 0;

}  // namespace partywall::migrate
