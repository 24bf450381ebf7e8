#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/copy/copy_batch.h"
#include "sql/copy/copy_decoder.h"
#include "sql/copy/copy_statement.h"

namespace partywall::sql {

// PostgreSQL refuses COPY FROM where row-level security applies. The door asks it whether that is
// so, and then sends the rows as INSERTs in batches, all of them before one Sync, so that they are
// one transaction as the COPY would have been. What is sent and when is decided here; the client's
// session does it.
class CopyTranslation {
 public:
  enum class Phase : uint8_t {
    kAsking,   // whether it is needed
    kTaking,   // the client's data
    kFailing,  // something is wrong with the data: batches on their way are awaited first
    kEnding,   // the Sync is sent
  };
  // What is to be done now.
  enum class Next : uint8_t {
    kNothing,
    kSend,  // a batch: write()
    kFail,  // with take_failure()
    kEnd,   // everything was sent
  };

  CopyTranslation(CopyFrom copy, std::string_view query, size_t max_row_bytes);

  // Asks for the columns of the table that COPY fills, if row-level security applies to it for this
  // role; nothing otherwise. Parse, Bind, Execute and Flush.
  void write_question(std::string& out) const;
  void add_column(std::string_view name) { table_columns_.emplace_back(name); }
  // The question is answered. False: the statement is to be passed on as it came.
  bool begin();
  // CopyInResponse.
  void write_invitation(std::string& out) const;

  // --- The client's data; call again until there is nothing to be done.
  Next take(std::string_view& bytes);
  Next take_end();
  // It cannot go on: the client says so, or it is interrupted.
  Next fail(SqlError error);
  // The next batch: Bind, Execute and Flush. True: with a Parse in front.
  bool write(std::string& out);
  SqlError take_failure() { return std::move(*failure_); }

  // --- The server's answers.
  Next batch_done(std::string_view tag);
  [[nodiscard]] std::string error_message(std::string_view body) const;

  [[nodiscard]] Phase phase() const { return phase_; }
  void ending() { phase_ = Phase::kEnding; }
  // No more data before something was answered.
  [[nodiscard]] bool must_wait() const {
    return phase_ == Phase::kAsking ||
           (phase_ == Phase::kTaking && on_the_way_.size() >= kPipelined);
  }
  [[nodiscard]] const std::string& query() const { return query_; }
  [[nodiscard]] uint64_t copied() const { return copied_; }

  [[nodiscard]] bool is_failing() const { return phase_ == Phase::kFailing; }

 private:
  static constexpr size_t kPipelined = 2;  // one that the server works on, and the next

  Next fail_in_its_turn();
  [[nodiscard]] Next fail_if_answered() const {
    return phase_ == Phase::kFailing && on_the_way_.empty() ? Next::kFail : Next::kNothing;
  }

  const CopyFrom copy_;
  const std::string query_;
  const size_t max_row_bytes_;
  Phase phase_ = Phase::kAsking;
  std::vector<std::string> table_columns_;
  std::vector<std::string> columns_;
  std::optional<CopyDecoder> decoder_;
  std::optional<CopyBatch> batch_;
  size_t prepared_rows_ = 0;                      // of the server's unnamed statement
  std::deque<std::vector<uint64_t>> on_the_way_;  // the lines of batches
  uint64_t copied_ = 0;
  std::optional<SqlError> failure_;
};

}  // namespace partywall::sql
