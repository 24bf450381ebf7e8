#include "migrate/copy/copy_chunk.h"

#include "engines/postgres_copy.h"
#include "migrate/copy/copy_splice.h"

namespace partywall::migrate {
namespace {

using postgres::CopyIn;
using postgres::CopyOut;
using postgres::PostgresError;
using postgres::PostgresResult;
using postgres::Transaction;

std::unexpected<PostgresError> failed(const Error& error) {
  return std::unexpected(PostgresError(error.kind, error.message));
}

std::unexpected<PostgresError> at(std::string_view where, PostgresError error) {
  error.message = std::string(where) + ": " + error.message;
  return std::unexpected(std::move(error));
}

struct Moved {
  RowSum sum;
  uint64_t bytes = 0;
};

// Sends on what has come together.
class Sender {
 public:
  Sender(CopyIn& into, const ChunkCopy& copy) : into_(into), copy_(copy) {}

  std::string& buffer() { return buffer_; }
  [[nodiscard]] bool is_full() const { return buffer_.size() >= copy_.piece_bytes; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  PostgresResult<> send(uint64_t rows_so_far) {
    if (buffer_.empty()) return {};
    if (auto written = into_.write(buffer_); !written) return at("target", written.error());
    bytes_ += buffer_.size();
    copy_.moved(rows_so_far - rows_, buffer_.size());
    rows_ = rows_so_far;
    buffer_.clear();
    return {};
  }

 private:
  CopyIn& into_;
  const ChunkCopy& copy_;
  std::string buffer_;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

template <class Splice>
PostgresResult<Moved> move_rows(const ChunkCopy& copy, const SpliceSettings& settings, CopyOut& out,
                                CopyIn& into) {
  Splice splice(settings);
  Sender sender(into, copy);
  while (true) {
    const auto piece = out.next();
    if (!piece) return at("source", piece.error());
    if (!*piece) break;
    if (auto fed = splice.feed(**piece, sender.buffer()); !fed) return failed(fed.error());
    if (!sender.is_full()) continue;
    if (auto sent = sender.send(splice.sum().rows); !sent) return std::unexpected(sent.error());
  }
  if (auto complete = splice.finish(); !complete) return failed(complete.error());
  if (auto sent = sender.send(splice.sum().rows); !sent) return std::unexpected(sent.error());
  return Moved{splice.sum(), sender.bytes()};
}

PostgresResult<Moved> stream(const ChunkCopy& copy, const Relation& relation, const Chunk& chunk) {
  auto out = CopyOut::begin(copy.source, copy_out_statement(relation, chunk));
  if (!out) return at("source", out.error());
  auto into = CopyIn::begin(copy.target, copy_in_statement(relation, copy.tenant_column));
  if (!into) return at("target", into.error());
  const SpliceSettings settings{.tenant = copy.tenant,
                                .columns = static_cast<uint16_t>(relation.columns.size())};
  auto moved = relation.is_portable() ? move_rows<BinarySplice>(copy, settings, *out, *into)
                                      : move_rows<TextSplice>(copy, settings, *out, *into);
  if (!moved) return moved;
  const auto taken = into->finish();
  if (!taken) return at("target", taken.error());
  if (*taken != moved->sum.rows) {
    // A BEFORE trigger that is carried out even now may leave rows out.
    return failed({ErrorKind::kConflict, fmt::format("of {} rows of the source the target took {}",
                                                     moved->sum.rows, *taken)});
  }
  return moved;
}

}  // namespace

PostgresResult<Claim> copy_chunk(const ChunkCopy& copy, const Relation& relation,
                                 const Chunk& chunk) {
  auto transaction = Transaction::begin(copy.target);
  if (!transaction) return at("target", transaction.error());
  const auto claim = claim_chunk(copy.target, copy.tenant, chunk);
  if (!claim) return failed(claim.error());
  if (*claim == Claim::kDone) return Claim::kDone;
  const auto moved = stream(copy, relation, chunk);
  if (!moved) return std::unexpected(moved.error());
  auto noted = note_chunk(copy.target, copy.tenant, chunk, moved->sum, moved->bytes);
  if (!noted) return failed(noted.error());
  if (auto committed = transaction->commit(); !committed) return at("target", committed.error());
  return Claim::kTaken;
}

}  // namespace partywall::migrate
