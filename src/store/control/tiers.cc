#include "store/control/tiers.h"

#include "base/json_writer.h"
#include "store/control/cell_caches.h"
#include "store/control/expected_version.h"
#include "store/control/json_fields.h"

namespace partywall::store {
namespace {

std::string title_of(std::string_view name) { return fmt::format("tier '{}'", name); }

Result<TierRecord> read_tier(const postgres::Rows& rows, size_t row) {
  const auto document = JsonValue::parse(rows.text(row));
  if (!document) return fail_with_context("tier", document.error());
  return read_tier_document(*document);
}

}  // namespace

std::string_view tier_document_sql() {
  return "json_build_object('name', t.name, 'terms', t.terms, 'version', t.version)::text";
}

Result<TierRecord> read_tier_document(const JsonValue& document) {
  JsonFields fields(document, "tier");
  TierRecord record;
  record.tier.name = fields.text("name");
  record.version = fields.number<uint64_t>("version");
  Terms terms;
  const JsonValue* const given = fields.optional_value("terms");
  if (!given || !given->as_object())
    return fail(ErrorKind::kInvalid, "tier {}: terms are missing", record.tier.name);
  for (const JsonMember& member : *given->as_object()) {
    // One of a later release than this node's: the others count.
    auto set = set_term(terms, member.name, member.value);
    if (!set && set.error().kind != ErrorKind::kNotFound) fields.take(set);
  }
  apply(terms, record.tier);
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

Result<std::vector<TierRecord>> list_tiers(Session& session) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.tiers t ORDER BY t.name", tier_document_sql()));
  if (!rows) return std::unexpected(rows.error());
  std::vector<TierRecord> tiers;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto tier = read_tier(*rows, row);
    if (!tier) return std::unexpected(tier.error());
    tiers.push_back(*std::move(tier));
  }
  return tiers;
}

Result<TierRecord> find_tier(Session& session, std::string_view name) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.tiers t WHERE t.name = $1", tier_document_sql()),
      {std::string(name)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no {}", title_of(name));
  return read_tier(*rows, 0);
}

Result<> put_tier(Change& change, const Tier& tier, ExpectedVersion expected) {
  if (auto valid = check_slug(tier.name); !valid) return valid;
  const auto version = version_of(change, "tiers", "name", tier.name);
  if (!version) return std::unexpected(version.error());
  if (auto checked = check_version(title_of(tier.name), *version, expected); !checked)
    return checked;
  const JsonValue terms = to_json(terms_of(tier));
  const auto put = change.execute(
      "INSERT INTO partywall.tiers (name, terms) VALUES ($1, $2::jsonb) "
      "ON CONFLICT (name) DO UPDATE SET terms = excluded.terms",
      {tier.name, to_json_text(terms)});
  if (!put) return fail_with_context(title_of(tier.name), put.error());
  if (*version != 0) {
    if (auto kept = keep_more_cache_databases(change, tier.name); !kept) return kept;
  }
  return change.note(*version == 0 ? "tier.created" : "tier.updated", std::nullopt, tier.name,
                     terms);
}

Result<> remove_tier(Change& change, std::string_view name, ExpectedVersion expected) {
  auto removed = remove_row(change, "tiers", "name", name, title_of(name), expected);
  if (!removed) return removed;
  return change.note("tier.deleted", std::nullopt, name, JsonValue(JsonObject()));
}

}  // namespace partywall::store
