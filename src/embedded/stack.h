#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/endpoint.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "embedded/run_record.h"
#include "fleet/loop/fleet_loop.h"
#include "tenancy/directory.h"

namespace partywall::embedded {

struct StackSettings {
  std::string data_directory = "./.partywall";
  uint32_t workers = 0;  // of the node; 0: one per processor
  // Of the doors, on 127.0.0.1. 0: any that is free; none: the usual one, or another if that is
  // taken.
  std::optional<uint16_t> http_port{};
  std::optional<uint16_t> sql_port{};
  std::optional<uint16_t> cache_port{};
  std::optional<uint16_t> admin_port{};
};

// Where the doors of the node listen.
struct DoorEndpoints {
  Endpoint http;
  Endpoint sql;
  Endpoint cache;
  Endpoint admin;
};

// All of `partywall up` but the node itself: the engines, the platform file, the example
// application. What it starts it stops, in stop() or when destroyed; what a crashed one has left
// running in the same data folder it takes over.
class Stack {
 public:
  // Starts the engines and writes the platform file. `say` tells a person what is going on.
  static Result<std::unique_ptr<Stack>> start(const StackSettings& settings, const TimeSource& time,
                                              Random& random,
                                              std::function<void(std::string_view)> say);
  ~Stack();

  [[nodiscard]] const std::string& platform_file() const;

  // Prepares the engines for what the platform file says of the cell: database, roles, tables,
  // users.
  Result<> prepare_cell(const Directory& directory);

  // Who runs the engines, and is to run the application.
  [[nodiscard]] fleet::Provider& provider();
  // Of whoever may scale the application.
  [[nodiscard]] const Secret& operator_token() const;

  // With the doors open: seeds both tenants, has the fleet keep the application, and waits until it
  // answers. Writes run.json. The fleet outlives the next stop().
  Result<> open_shop(const DoorEndpoints& doors, fleet::FleetLoop& fleet);

  [[nodiscard]] std::string describe() const;
  bool tour(const std::function<bool()>& must_end, std::FILE* out);

  // Ends the application, then the engines. Call it when the doors are closed.
  void stop();

 private:
  struct Impl;
  explicit Stack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::embedded
