#include "store/control/directory_image.h"

#include <algorithm>

#include "store/control/access_document.h"
#include "store/control/cell_document.h"
#include "store/control/tenant_document.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"

namespace partywall::store {
namespace {

constexpr size_t kMostDocumentBytes = 16 << 20;

template <class Record, class Read>
Result<> read_into(std::map<std::string, Record>& records, const DocumentChange& change,
                   Read read) {
  const auto json = JsonValue::parse(*change.document, {.max_bytes = kMostDocumentBytes});
  if (!json) return fail_with_context(change.kind + " " + change.key, json.error());
  auto record = read(*json);
  if (!record) return fail_with_context(change.kind + " " + change.key, record.error());
  records.insert_or_assign(change.key, *std::move(record));
  return {};
}

template <class Record>
void take_all(std::map<std::string, Record>& into, std::map<std::string, Record>&& from) {
  for (auto& [key, record] : from) into.insert_or_assign(key, std::move(record));
}

void add_logins(const TenantRecord& record, const Cell* cell, DirectoryData& data) {
  for (SqlLogin login : record.sql_logins) {
    login.cell = record.placement->cell;
    if (cell) login.database = cell->sql.database;
    data.sql_logins.push_back(std::move(login));
  }
  data.cache_logins.insert(data.cache_logins.end(), record.cache_logins.begin(),
                           record.cache_logins.end());
}

}  // namespace

Result<> DirectoryImage::Records::read(const DocumentChange& change, const SealingKey& key) {
  const std::string& kind = change.kind;
  if (kind == "tenant") return read_into(tenants, change, read_tenant_document);
  if (kind == "tier") return read_into(tiers, change, read_tier_document);
  if (kind == "route") return read_into(routes, change, read_route_document);
  if (kind == "sql_login") return read_into(sql_logins, change, read_sql_login_document);
  if (kind == "cache_login") return read_into(cache_logins, change, read_cache_login_document);
  if (kind == "cell") {
    return read_into(cells, change,
                     [&](const JsonValue& json) { return read_cell_document(json, key); });
  }
  if (kind == "issuer") {
    return read_into(issuers, change,
                     [&](const JsonValue& json) { return read_issuer_document(json, key); });
  }
  if (kind == "context_key") {
    return read_into(context_keys, change,
                     [&](const JsonValue& json) { return read_context_key_document(json, key); });
  }
  return fail(ErrorKind::kInvalid, "'{}' is no kind of document that this release knows", kind);
}

void DirectoryImage::Records::remove(const DocumentChange& change) {
  const std::string& kind = change.kind;
  if (kind == "tenant") tenants.erase(change.key);
  if (kind == "tier") tiers.erase(change.key);
  if (kind == "route") routes.erase(change.key);
  if (kind == "sql_login") sql_logins.erase(change.key);
  if (kind == "cache_login") cache_logins.erase(change.key);
  if (kind == "cell") cells.erase(change.key);
  if (kind == "issuer") issuers.erase(change.key);
  if (kind == "context_key") context_keys.erase(change.key);
}

void DirectoryImage::Records::take(Records&& delta_records) {
  take_all(tiers, std::move(delta_records.tiers));
  take_all(cells, std::move(delta_records.cells));
  take_all(tenants, std::move(delta_records.tenants));
  take_all(routes, std::move(delta_records.routes));
  take_all(issuers, std::move(delta_records.issuers));
  take_all(context_keys, std::move(delta_records.context_keys));
  take_all(sql_logins, std::move(delta_records.sql_logins));
  take_all(cache_logins, std::move(delta_records.cache_logins));
}

Result<> DirectoryImage::apply(const DirectoryDelta& delta) {
  Records changed;
  for (const DocumentChange& change : delta.documents) {
    if (!change.document) continue;
    if (auto read = changed.read(change, key_); !read) return read;
  }
  if (delta.extent == Extent::kWhole) records_ = Records();
  for (const DocumentChange& change : delta.documents) {
    if (!change.document) records_.remove(change);
  }
  records_.take(std::move(changed));
  merge(delta, documents_);
  version_ = delta.version;
  return {};
}

Result<DirectoryData> DirectoryImage::directory_data() const {
  DirectoryData data;
  for (const auto& [name, record] : records_.tiers) data.tiers.push_back(record.tier);
  for (const auto& [name, record] : records_.cells) data.cells.push_back(record.cell);
  for (const auto& [path, record] : records_.routes) data.routes.push_back(record.route);
  for (const auto& [issuer, record] : records_.issuers) data.issuers.push_back(record.issuer);
  std::vector<const ContextKeyRecord*> keys;
  for (const auto& [id, record] : records_.context_keys) keys.push_back(&record);
  std::ranges::sort(keys, {}, [](const ContextKeyRecord* record) {
    return std::pair(record->position, record->key.id);
  });
  for (const ContextKeyRecord* const record : keys) data.context_keys.push_back(record->key);
  for (const auto& [user, record] : records_.sql_logins) data.sql_logins.push_back(record.login);
  for (const auto& [user, record] : records_.cache_logins)
    data.cache_logins.push_back(record.login);

  data.tenants.reserve(records_.tenants.size());
  for (const auto& [id, record] : records_.tenants) {
    if (!record.placement) continue;
    const auto tier = records_.tiers.find(record.tier);
    if (tier == records_.tiers.end())
      return fail(ErrorKind::kInvalid, "tenant {}: no tier named '{}'", record.slug, record.tier);
    auto tenant = effective_tenant(record, tier->second.tier);
    if (!tenant) return std::unexpected(tenant.error());
    data.tenants.push_back(*std::move(tenant));
    const auto cell = records_.cells.find(record.placement->cell);
    add_logins(record, cell == records_.cells.end() ? nullptr : &cell->second.cell, data);
  }
  return data;
}

}  // namespace partywall::store
