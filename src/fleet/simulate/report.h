#pragma once

#include <string>
#include <vector>

#include "fleet/simulate/simulator.h"

namespace partywall::fleet {

// A table for a terminal, one policy a line.
std::string text_report(const std::vector<SimulationResult>& results);
// The same figures, one policy a line, with a header; for spreadsheets.
std::string csv_report(const std::vector<SimulationResult>& results);
// One file that needs nothing else: the table, and for each policy a plot of load, capacity and
// instances (inline SVG, no scripts).
std::string html_report(const std::string& title, const std::vector<SimulationResult>& results);

}  // namespace partywall::fleet
