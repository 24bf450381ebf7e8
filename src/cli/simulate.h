#pragma once

#include <string>
#include <vector>

#include "fleet/simulate/compare.h"

// `partywall simulate`: what a scaling policy would do with a load, before it does it in earnest.
namespace partywall::cli {

struct SimulateOptions {
  std::vector<std::string> traces;    // CSV files; several are the tenants of one pool, added up
  std::vector<std::string> policies;  // names, or files with a scaling policy; empty: all names
  double peak_instances = 20;         // the trace is scaled so that its peak needs so many; 0: not
  uint32_t min = 2;                   // of policies by name
  uint32_t max = 1'000;
  fleet::SimulationSettings settings;
  fleet::WhatIf what_if;
  std::string html;  // file to write, empty: none
  std::string csv;
};

int simulate(const SimulateOptions& options);

}  // namespace partywall::cli
