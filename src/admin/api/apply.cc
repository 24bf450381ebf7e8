#include "admin/api/apply_change.h"
#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "base/json_writer.h"
#include "store/control/access.h"
#include "store/control/cells.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"

// Apply: what should be, in one document. The answer is a line for each change, as it is done; a
// batch of them is one transaction. Whatever was done before a failure stays, and the same document
// sent again goes on from there.
namespace partywall::admin {
namespace {

constexpr size_t kMostBodyBytes = 32 << 20;
constexpr size_t kBatch = 100;

using DesiredIndex = std::map<std::pair<ResourceKind, std::string_view>, const Resource*>;

const Resource& desired_or_empty(const DesiredIndex& index, ResourceKind kind,
                                 std::string_view name) {
  static const Resource kNothing;
  const auto found = index.find({kind, name});
  return found == index.end() ? kNothing : *found->second;
}

bool is_leaving(TenantStatus status) {
  return status == TenantStatus::kOffboarding || status == TenantStatus::kErasing ||
         status == TenantStatus::kErased;
}

// Tenants that leave are gone as far as the document is concerned, unless it names one.
ApiResult<> add_tenants(store::Session& session, const DesiredIndex& index,
                        std::vector<Resource>& current) {
  store::TenantCursor after;
  while (true) {
    const auto tenants = store::list_tenants(session, {}, after, kLargestPage);
    if (!tenants) return refuse(tenants.error());
    for (const store::TenantRecord& tenant : *tenants) {
      const bool named = index.contains({ResourceKind::kTenant, tenant.slug});
      if (is_leaving(tenant.status) && named) {
        return refuse(
            conflict(fmt::format("Tenant {} is {}; restore it, or take it out of the "
                                 "document.",
                                 tenant.slug, to_string(tenant.status))));
      }
      if (is_leaving(tenant.status)) continue;
      current.push_back(
          current_resource(tenant, desired_or_empty(index, ResourceKind::kTenant, tenant.slug)));
    }
    if (tenants->size() < static_cast<size_t>(kLargestPage)) return {};
    after = {.slug = tenants->back().slug, .id = tenants->back().id};
  }
}

// What there is, of the kinds that the document has.
ApiResult<std::vector<Resource>> load_current(store::Session& session, const Desired& desired) {
  DesiredIndex index;
  for (const Resource& resource : desired.resources)
    index[{resource.kind, resource.name}] = &resource;
  std::vector<Resource> current;
  for (const ResourceKind kind : desired.kinds) {
    if (kind == ResourceKind::kTier) {
      const auto tiers = store::list_tiers(session);
      if (!tiers) return refuse(tiers.error());
      for (const store::TierRecord& tier : *tiers) current.push_back(current_resource(tier));
    } else if (kind == ResourceKind::kCell) {
      const auto cells = store::list_cells(session);
      if (!cells) return refuse(cells.error());
      for (const store::CellRecord& cell : *cells)
        current.push_back(current_resource(cell, desired_or_empty(index, kind, cell.cell.name)));
    } else if (kind == ResourceKind::kRoute) {
      const auto routes = store::list_routes(session);
      if (!routes) return refuse(routes.error());
      for (const store::RouteRecord& route : *routes) current.push_back(current_resource(route));
    } else if (auto added = add_tenants(session, index, current); !added) {
      return refuse(added.error());
    }
  }
  return current;
}

JsonValue optional_text(const std::optional<std::string>& text) {
  return text ? JsonValue(*text) : JsonValue();
}

std::string change_line(const ResourceChange& change) {
  JsonArray fields;
  for (const FieldChange& field : change.fields) {
    fields.emplace_back(JsonObject{{"name", JsonValue(field.name)},
                                   {"before", optional_text(field.before)},
                                   {"after", optional_text(field.after)}});
  }
  return to_json_text(
             JsonValue(JsonObject{{"action", JsonValue(std::string(to_string(change.action)))},
                                  {"kind", JsonValue(std::string(to_string(change.kind)))},
                                  {"name", JsonValue(change.name)},
                                  {"fields", JsonValue(std::move(fields))}})) +
         '\n';
}

std::string summary_line(size_t done, size_t planned) {
  return to_json_text(JsonValue(JsonObject{{"done", JsonValue(uint64_t{done})},
                                           {"planned", JsonValue(uint64_t{planned})}})) +
         '\n';
}

std::string error_line(const ResourceChange& change, const Error& error) {
  return to_json_text(JsonValue(
             JsonObject{{"error", JsonValue(fmt::format("{} {}: {}", to_string(change.kind),
                                                        change.name, error.message))}})) +
         '\n';
}

enum class Mode : uint8_t { kDryRun, kApply };

class ApplyStream final : public BodyStream {
 public:
  ApplyStream(const Call& call, Desired desired, std::vector<ResourceChange> changes, Mode mode)
      : stores_(call.stores),
        author_(call.author),
        settings_(call.settings),
        time_(call.time),
        random_(call.random),
        desired_(std::move(desired)),
        changes_(std::move(changes)),
        mode_(mode) {}

  std::optional<std::string> next() override {
    if (ended_) return std::nullopt;
    if (next_ == changes_.size()) {
      ended_ = true;
      return summary_line(mode_ == Mode::kApply ? next_ : 0, changes_.size());
    }
    const std::span batch(changes_.data() + next_, std::min(kBatch, changes_.size() - next_));
    std::string lines;
    if (mode_ == Mode::kApply) {
      if (auto failed = apply_batch(batch); !failed.empty()) {
        ended_ = true;
        return failed;
      }
    }
    for (const ResourceChange& change : batch) lines += change_line(change);
    next_ += batch.size();
    return lines;
  }
  [[nodiscard]] Duration pause() const override { return Duration(0); }

 private:
  // Empty, or the line that says what failed.
  std::string apply_batch(std::span<const ResourceChange> batch) {
    const auto store = stores_.take();
    const ResourceChange* current = &batch.front();
    const auto done = store->change(author_, [&](store::Change& change) -> Result<bool> {
      ChangeApplier applier(desired_, settings_, time_.wall(), random_);
      for (const ResourceChange& one : batch) {
        current = &one;
        if (auto applied = applier.apply(change, one); !applied)
          return std::unexpected(applied.error());
      }
      return true;
    });
    return done ? std::string() : error_line(*current, done.error());
  }

  StorePool& stores_;
  const store::Author author_;
  const ApiSettings& settings_;
  const TimeSource& time_;
  Random& random_;
  const Desired desired_;
  const std::vector<ResourceChange> changes_;
  const Mode mode_;
  size_t next_ = 0;
  bool ended_ = false;
};

ApiResult<bool> read_flag(const Query& query, std::string_view name) {
  const std::string text = query.text(name);
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return refuse(invalid_body(fmt::format("{} must be true or false", name)));
}

ApiResult<Response> run(const Call& call) {
  const auto dry_run = read_flag(call.query, "dry_run");
  if (!dry_run) return refuse(dry_run.error());
  const auto prune = read_flag(call.query, "prune");
  if (!prune) return refuse(prune.error());
  const auto body = parse_body(call.request, kMostBodyBytes);
  if (!body) return refuse(body.error());
  auto desired = read_desired(*body);
  if (!desired) return refuse(desired.error());
  auto session = call.store.session();
  if (!session) return refuse(session.error());
  const auto current = load_current(*session, *desired);
  if (!current) return refuse(current.error());
  auto changes = plan_changes(*current, desired->resources,
                              *prune ? Pruning::kRemoveOthers : Pruning::kKeepOthers);
  if (!changes) return refuse(changes.error());
  return Response{
      .content_type = "application/x-ndjson",
      .stream = std::make_unique<ApplyStream>(call, *std::move(desired), *std::move(changes),
                                              *dry_run ? Mode::kDryRun : Mode::kApply)};
}

}  // namespace

void add_apply_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/apply",
                       .summary = "Make it as the document says; a line for each change",
                       .access = {Role::kOwner},
                       .handler = run,
                       .query = {"dry_run", "prune"},
                       .request_schema = "Desired",
                       .response_schema = "ApplyLine",
                       .response_type = "application/x-ndjson",
                       .max_body_bytes = kMostBodyBytes});
}

}  // namespace partywall::admin
