#pragma once

#include <string_view>

#include "base/result.h"

// What every command says and returns when it does not succeed.
namespace partywall::cli {

// Print "partywall COMMAND: what happened", and return the exit code of the error's kind, or that
// of wrong usage. kExitNotFound and kExitDenied are never of them: a database says so of much that
// is not what a command means by it.
int failed(std::string_view command, const Error& error);
int wrong_usage(std::string_view command, const Error& error);

}  // namespace partywall::cli
