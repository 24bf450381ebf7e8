#pragma once

#include "base/result.h"
#include "base/time.h"
#include "fleet/process/child_process.h"

namespace partywall::embedded {

// Runs a program to its end. Fails if it cannot be started, takes longer than `patience` (then it
// is ended), or does not end with exit status 0; the message then holds the end of its output file.
Result<> run_command(const fleet::SpawnRequest& request, Duration patience);

// The last lines of a log, for a message; empty if there is none.
std::string last_lines(const std::string& path);

}  // namespace partywall::embedded
