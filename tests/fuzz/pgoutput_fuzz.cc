// Messages of pgoutput, each behind a byte with its length, first as replication frames, then as
// what an applier is fed: whatever they say, everything that is passed on lies within the message,
// transactions are whole, and each statement names the tenant.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "migrate/apply/applier.h"

namespace {

using namespace partywall;
using namespace partywall::migrate;

const std::string kTenant = "aaaaaaaa-0000-4000-8000-000000000001";

void require(bool fine) {
  if (!fine) std::abort();
}

class Target final : public ApplySink {
 public:
  std::string_view message;

  Result<> begin() override {
    require(!open_);
    open_ = true;
    return {};
  }
  Result<> change(const ChangeStatement& statement,
                  std::span<const pgoutput::Value> values) override {
    require(open_);
    require(statement.sql.find(kTenant) != std::string::npos);
    require(values.size() == statement.types.size());
    for (const pgoutput::Value& value : values) {
      require(value.kind != pgoutput::ValueKind::kUnchanged);
      if (value.kind == pgoutput::ValueKind::kText && !value.text.empty()) {
        require(value.text.data() >= message.data());
        require(value.text.data() + value.text.size() <= message.data() + message.size());
      }
    }
    return {};
  }
  Result<> commit(TransactionEnd) override {
    require(open_);
    open_ = false;
    return {};
  }
  Result<> pass(TransactionEnd) override {
    require(!open_);
    return {};
  }

 private:
  bool open_ = false;
};

StreamTables tables() {
  StreamTable table{.schema = "public", .name = "film", .columns = {}};
  table.columns = {{.name = "id", .type = "23", .type_id = 23, .is_primary = true},
                   {.name = "title", .type = "25", .type_id = 25, .can_be_left_out = true},
                   {.name = "blurb", .type = "25", .type_id = 25, .can_be_left_out = true},
                   {.name = "tenant_id", .type = "uuid", .type_id = 2950, .is_primary = true}};
  StreamTables all;
  all.emplace(std::pair("public", "film"), std::move(table));
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const StreamTables target_tables = tables();
  Target target;
  Applier applier(
      {.tenant = {.tenant = *Uuid::parse(kTenant), .source = std::nullopt, .target = "tenant_id"},
       .skipped_origin = "back",
       .max_relations = 4,
       .max_statements = 8},
      target_tables,
      [](uint32_t type, int32_t) -> Result<std::string> { return std::to_string(type); }, target);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  pgoutput::Message message;
  while (!rest.empty()) {
    const size_t length = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    const std::string_view bytes = rest.substr(0, length);
    rest.remove_prefix(bytes.size());
    (void)decode_replication_frame(bytes);
    if (!pgoutput::decode(bytes, message, {.columns = 16})) continue;
    target.message = bytes;
    if (!applier.take(message)) return 0;
  }
  return 0;
}
