#include "cli/simulate.h"

#include <chrono>
#include <fstream>

#include "base/text.h"
#include "cli/exit_code.h"
#include "fleet/scaling/instances.h"
#include "fleet/simulate/report.h"
#include "store/file_loader.h"

namespace partywall::cli {
namespace {

using fleet::LoadSeries;
using fleet::PoolScaling;

Result<LoadSeries> load_trace(const std::string& path) {
  store::DiskFileLoader files = store::DiskFileLoader::beside(path);
  const auto file = files.load(store::file_name_of(path));
  if (!file) return std::unexpected(file.error());
  return fleet::parse_load_csv(path, file->content);
}

Result<LoadSeries> load_traces(const std::vector<std::string>& paths) {
  std::vector<LoadSeries> series;
  for (const std::string& path : paths) {
    auto one = load_trace(path);
    if (!one) return one;
    series.push_back(*std::move(one));
  }
  if (series.size() == 1) return std::move(series.front());
  return fleet::sum_of(series, fmt::format("{} tenants", series.size()));
}

Result<PoolScaling> load_policy(const std::string& path) {
  store::DiskFileLoader files = store::DiskFileLoader::beside(path);
  const auto file = files.load(store::file_name_of(path));
  if (!file) {
    const auto names = fleet::pool_scaling_names();
    return fail(ErrorKind::kNotFound, "{}: neither the name of a policy nor a file{}", path,
                suggestion(path, names));
  }
  Diagnostics found;
  PoolScaling scaling;
  if (const auto root = parse_yaml(file->content, found)) {
    read_yaml(*root, found, [&](YamlMap& map) { fleet::read_pool_scaling(map, scaling); });
  }
  if (!found.has_errors()) return scaling;
  std::string all;
  for (const Diagnostic& one : found.items()) {
    all += (all.empty() ? "" : "\n") + to_string(one, path);
  }
  return fail(ErrorKind::kInvalid, "{}", all);
}

Result<std::vector<fleet::PolicyUnderTest>> choose_policies(const SimulateOptions& options) {
  std::vector<std::string> names = options.policies;
  if (names.empty()) {
    for (const std::string_view name : fleet::pool_scaling_names()) names.emplace_back(name);
  }
  std::vector<fleet::PolicyUnderTest> policies;
  for (const std::string& name : names) {
    if (auto known = fleet::named_pool_scaling(name)) {
      known->bounds.min = options.min;
      known->bounds.max = options.max;
      policies.push_back({name, *std::move(known)});
      continue;
    }
    auto scaling = load_policy(name);
    if (!scaling) return std::unexpected(scaling.error());
    policies.push_back({name, *std::move(scaling)});
  }
  return policies;
}

// Traces count the requests of sites of any size: here the peak becomes what `instances` serve at
// the reference's target.
void scale_to_peak(LoadSeries& load, const fleet::SimulationSettings& settings, double instances) {
  const double peak = std::ranges::max(load.requests);
  if (peak <= 0) return;
  const double in_flight = peak / std::chrono::duration<double>(load.step).count() *
                           std::chrono::duration<double>(settings.service.service_time).count();
  const double factor = instances * settings.target_load() / in_flight;
  for (double& requests : load.requests) requests *= factor;
}

Result<> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) {
    return fail(ErrorKind::kUnavailable, "cannot write {}: is the folder there and writable?",
                path);
  }
  return {};
}

Result<> run(const SimulateOptions& options) {
  auto load = load_traces(options.traces);
  if (!load) return std::unexpected(load.error());
  const auto policies = choose_policies(options);
  if (!policies) return std::unexpected(policies.error());
  if (options.peak_instances > 0) scale_to_peak(*load, options.settings, options.peak_instances);

  const auto results = fleet::compare(options.settings, *load, *policies, options.what_if);
  fmt::print("{}: {} steps of {}, {} to be at full weight after a launch\n\n", load->name,
             load->requests.size(), format_duration(load->step),
             format_duration(options.settings.lead()));
  fmt::print("{}", fleet::text_report(results));
  if (!options.csv.empty()) {
    if (auto written = write_file(options.csv, fleet::csv_report(results)); !written) {
      return written;
    }
  }
  if (!options.html.empty()) {
    return write_file(options.html, fleet::html_report("Simulation of " + load->name, results));
  }
  return {};
}

}  // namespace

int simulate(const SimulateOptions& options) {
  if (auto done = run(options); !done) {
    fmt::print(stderr, "partywall simulate: {}\n", done.error().message);
    return kExitFailure;
  }
  return kExitSuccess;
}

}  // namespace partywall::cli
