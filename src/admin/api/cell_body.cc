#include "admin/api/cell_body.h"

#include "admin/api/json_body.h"
#include "base/hex.h"
#include "base/text.h"
#include "store/control/cell_document.h"

namespace partywall::admin {
namespace {

// The first member of `given` that the same document, written by us, does not have.
std::optional<std::string> unknown_member(const JsonValue& given, const JsonValue& known,
                                          const std::string& where) {
  if (const JsonArray* const elements = given.as_array()) {
    const JsonArray* const others = known.as_array();
    for (size_t i = 0; others && i < elements->size() && i < others->size(); ++i) {
      auto found = unknown_member((*elements)[i], (*others)[i], fmt::format("{}[{}]", where, i));
      if (found) return found;
    }
  }
  const JsonObject* const members = given.as_object();
  if (!members || !known.as_object()) return std::nullopt;
  std::vector<std::string_view> names;
  for (const JsonMember& member : *known.as_object()) names.emplace_back(member.name);
  for (const JsonMember& member : *members) {
    const std::string place = where + "." + member.name;
    const JsonValue* const other = known.find(member.name);
    if (!other) return place + " is not known here" + suggestion(member.name, names);
    if (auto found = unknown_member(member.value, *other, place)) return found;
  }
  return std::nullopt;
}

ApiResult<> read_secrets(const JsonValue* secrets, Cell& cell) {
  if (!secrets) return {};
  const JsonObject* const members = secrets->as_object();
  if (!members) return refuse(invalid_body("secrets must be an object"));
  for (const JsonMember& member : *members) {
    Secret* const secret = store::find_cell_secret(cell, member.name);
    const std::string* const text = member.value.as_string();
    if (!secret) {
      return refuse(invalid_body(fmt::format("secrets.{} is not known here{}", member.name,
                                             suggestion(member.name, store::cell_secret_names()))));
    }
    if (!text || text->empty())
      return refuse(invalid_body(fmt::format("secrets.{} must be a text", member.name)));
    if (!store::is_hexadecimal_secret(member.name)) {
      *secret = Secret(*text);
      continue;
    }
    auto bytes = decode_hex(*text);
    if (!bytes)
      return refuse(invalid_body(fmt::format("secrets.{} must be hexadecimal", member.name)));
    *secret = Secret(*std::move(bytes));
  }
  return {};
}

}  // namespace

ApiResult<store::CellRecord> read_cell(const JsonValue& body, const std::string& name,
                                       const store::CellRecord* before) {
  JsonReader reader(body);
  const std::string kind = reader.text("kind").value_or("shared");
  const std::string region = reader.text("region").value_or("");
  const int64_t most = reader.number("max_tenants", 0, 1'000'000).value_or(1'000);
  const JsonValue* const parts = reader.any("parts");
  const JsonValue* const secrets = reader.any("secrets");
  if (kind != "shared" && kind != "dedicated") reader.reject("kind", "must be shared or dedicated");
  if (!parts) reader.reject("parts", "is missing");
  if (auto done = reader.result(); !done) return refuse(done.error());
  if (auto valid = check_slug(name); !valid) return refuse(valid.error());
  Cell secret_source;
  if (before) secret_source = before->cell;
  auto cell = store::read_cell_parts(*parts);
  if (!cell) return refuse(invalid_body(cell.error().message));
  if (auto unknown = unknown_member(*parts, store::cell_parts(*cell), "parts"))
    return refuse(invalid_body(*unknown));
  for (const std::string_view secret : store::cell_secret_names())
    *store::find_cell_secret(*cell, secret) = *store::find_cell_secret(secret_source, secret);
  cell->name = name;
  cell->kind = kind == "dedicated" ? CellKind::kDedicated : CellKind::kShared;
  cell->region = region;
  if (auto read = read_secrets(secrets, *cell); !read) return refuse(read.error());
  return store::CellRecord{.cell = *std::move(cell),
                           .state = before ? before->state : "active",
                           .max_tenants = static_cast<uint32_t>(most)};
}

}  // namespace partywall::admin
