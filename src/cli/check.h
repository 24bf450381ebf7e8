#pragma once

#include <string>

// `partywall check FILE`: says all that is wrong with a platform file, without starting anything.
namespace partywall::cli {

enum class CheckFormat {
  kText,  // one finding a line, as compilers print them: "platform.yaml:12:5: error: …"
  kJson,  // one object, for editors and pipelines; docs/reference/platform-file.md has its members
};

struct CheckReport {
  std::string text;   // for standard output
  int exit_code = 0;  // kExitFailure if there is an error; warnings alone are kExitSuccess
};

CheckReport check_platform_file(const std::string& path, CheckFormat format);

}  // namespace partywall::cli
