#include "migrate/copy/source_sum.h"

#include "engines/postgres_copy.h"
#include "migrate/copy/copy_splice.h"

namespace partywall::migrate {
namespace {

template <class Splice>
Result<RowSum> sum_of(postgres::CopyOut& out, const Relation& relation) {
  Splice splice({.columns = static_cast<uint16_t>(relation.columns.size())});
  std::string rows;
  while (true) {
    const auto piece = out.next();
    if (!piece) return std::unexpected(piece.error());
    if (!*piece) break;
    rows.clear();
    if (auto fed = splice.feed(**piece, rows); !fed) return std::unexpected(fed.error());
  }
  if (auto complete = splice.finish(); !complete) return std::unexpected(complete.error());
  return splice.sum();
}

}  // namespace

Result<RowSum> read_source_sum(postgres::Connection& source, const Relation& relation) {
  auto out = postgres::CopyOut::begin(source, copy_out_statement(relation, {relation.name}));
  if (!out) return std::unexpected(out.error());
  return relation.is_portable() ? sum_of<BinarySplice>(*out, relation)
                                : sum_of<TextSplice>(*out, relation);
}

}  // namespace partywall::migrate
