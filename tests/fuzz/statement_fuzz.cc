// Any text under each syntax: the reader ends, its statements lie in the text one after the other,
// and what it recognised alone it recognises again.
#include <cstdlib>
#include <string_view>

#include "sql/statement.h"

namespace {

using namespace partywall::sql;

void require(bool fine) {
  if (!fine) std::abort();
}

void check(std::string_view sql, SqlSyntax syntax) {
  StatementReader reader(sql, syntax);
  const char* end_of_last = sql.data();
  size_t count = 0;
  while (auto statement = reader.next()) {
    require(++count <= sql.size() + 1);
    if (statement->kind == StatementKind::kEmpty) continue;
    require(statement->text.data() >= end_of_last);
    end_of_last = statement->text.data() + statement->text.size();
    require(end_of_last <= sql.data() + sql.size());
    const bool has_setting = statement->kind == StatementKind::kSetTenant ||
                             statement->kind == StatementKind::kSelectSetConfig;
    require(statement->setting.has_value() == has_setting);
    if (statement->kind == StatementKind::kOther) continue;
    const QueryShape alone = read_query_shape(statement->text, syntax);
    require(!alone.has_more && alone.first.kind == statement->kind &&
            alone.first.name == statement->name);
  }
  require(!reader.next());
  require(read_query_shape(sql, syntax).has_more == (count > 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  check(sql, {});
  check(sql, {.standard_conforming_strings = false});
  check(sql, {.ascii_safe_encoding = false});
  return 0;
}
