#pragma once

#include "admin/server.h"
#include "cache/settings.h"
#include "cluster/limit_store.h"
#include "http/door/settings.h"
#include "sql/door/settings.h"
#include "store/node_settings.h"

// What the platform file says of a door, as the door wants to know it. What the file does not
// mention stays as the door has it.
namespace partywall::daemon {

http::DoorSettings http_door_settings(const store::ListenSettings& listen,
                                      const store::HttpDoorOptions& options,
                                      const std::string& access_log);
cache::DoorSettings cache_door_settings(const store::ListenSettings& listen,
                                        const store::CacheDoorOptions& options);

sql::DoorSettings sql_door_settings(const store::ListenSettings& listen,
                                    const store::SqlDoorOptions& options);

admin::ServerSettings admin_server_settings(const store::ListenSettings& listen);

// `options.limits` is there.
LimitStoreSettings limit_store_settings(const store::ClusterOptions& options,
                                        const std::string& host);

}  // namespace partywall::daemon
