#include "cli/migrate_place.h"

#include "cli/cell_database.h"
#include "cli/exit_code.h"
#include "cli/platform_loader.h"

namespace partywall::cli {

Result<MigratePlace> find_migrate_place(const MigrateTarget& to) {
  if (to.platform_file.empty()) {
    const auto id = Uuid::parse(to.tenant);
    if (id) return MigratePlace{*id, id->to_string(), connection_string(to.database, {})};
    return fail(ErrorKind::kInvalid,
                "--tenant {}: give its UUID, or the platform file that knows it with -f",
                to.tenant);
  }
  PlatformLoader platform(to.platform_file);
  const auto loaded = platform.load();
  if (!loaded) return fail(ErrorKind::kInvalid, "{} has errors", to.platform_file);
  if (!loaded->directory) {
    return fail(ErrorKind::kInvalid,
                "{} keeps its tenants in a control store: give the tenant's UUID, without -f",
                to.platform_file);
  }
  const Tenant* const tenant = loaded->directory->find_tenant_by_name(to.tenant);
  if (tenant == nullptr) {
    return fail(ErrorKind::kInvalid, "{} has no tenant \"{}\"", to.platform_file, to.tenant);
  }
  const Cell* const cell = loaded->directory->find_cell(tenant->cell);
  return MigratePlace{tenant->id.value(), tenant->slug,
                      connection_string(to.database, cell->sql.endpoint)};
}

}  // namespace partywall::cli
