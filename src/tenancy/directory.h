#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "tenancy/access.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

namespace partywall {

// What a directory is made of. Order does not matter, except that the first context key signs.
struct DirectoryData {
  uint64_t version = 0;
  std::vector<Tier> tiers;
  std::vector<Cell> cells;
  std::vector<Tenant> tenants;  // `number` is filled in by TenantNumbers
  std::vector<Route> routes;
  std::vector<Issuer> issuers;
  std::vector<ContextKey> context_keys;
  std::vector<SqlLogin> sql_logins;
  std::vector<CacheLogin> cache_logins;
};

// The immutable snapshot that every door reads. It is built once, checked, and swapped whole into
// each worker; nothing in it changes, so it is read without locks. References into it live as long
// as the shared_ptr that was read.
class Directory {
 public:
  // Fails, naming the first problem, if something names a tier, cell or tenant that is not there, a
  // slug is not one, or anything is there twice.
  static Result<std::shared_ptr<const Directory>> build(DirectoryData data);

  [[nodiscard]] uint64_t version() const { return data_.version; }
  [[nodiscard]] const std::vector<Tenant>& tenants() const { return data_.tenants; }
  [[nodiscard]] const std::vector<Tier>& tiers() const { return data_.tiers; }
  [[nodiscard]] const std::vector<Cell>& cells() const { return data_.cells; }
  [[nodiscard]] const std::vector<Issuer>& issuers() const { return data_.issuers; }
  [[nodiscard]] const std::vector<ContextKey>& context_keys() const { return data_.context_keys; }
  [[nodiscard]] const std::vector<Route>& routes() const { return data_.routes; }
  [[nodiscard]] const DirectoryData& data() const { return data_; }

  // Each returns nullptr where there is none.
  [[nodiscard]] const Tenant* find_tenant(TenantId id) const;
  [[nodiscard]] const Tenant* find_tenant_by_slug(std::string_view slug) const;
  // A UUID or a slug, as claims and users write it.
  [[nodiscard]] const Tenant* find_tenant_by_name(std::string_view uuid_or_slug) const;
  [[nodiscard]] const Tier* find_tier(std::string_view name) const;
  [[nodiscard]] const Cell* find_cell(std::string_view name) const;
  [[nodiscard]] const SqlLogin* find_sql_login(std::string_view user) const;
  [[nodiscard]] const CacheLogin* find_cache_login(std::string_view user) const;
  // The route with the longest matching prefix.
  [[nodiscard]] const Route* find_route(std::string_view path) const;

 private:
  explicit Directory(DirectoryData data) : data_(std::move(data)) {}
  Result<> index();
  Result<> index_tenants();
  Result<> index_sql_logins();
  Result<> index_cache_logins();

  DirectoryData data_;
  std::unordered_map<TenantId, const Tenant*> tenants_by_id_;
  std::unordered_map<std::string_view, const Tenant*> tenants_by_slug_;
  std::unordered_map<std::string_view, const SqlLogin*> sql_logins_;
  std::unordered_map<std::string_view, const CacheLogin*> cache_logins_;
  std::vector<const Route*> routes_by_length_;
};

using DirectoryRef = std::shared_ptr<const Directory>;

// Gives each tenant its dense number, the same one for the life of the process.
class TenantNumbers {
 public:
  TenantNumber number_of(TenantId id);
  void assign(std::vector<Tenant>& tenants);
  [[nodiscard]] size_t count() const { return numbers_.size(); }

 private:
  std::unordered_map<TenantId, TenantNumber> numbers_;
};

}  // namespace partywall
