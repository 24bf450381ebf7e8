#include "store/example_platform.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace partywall::store {

std::string read_source_file(std::string_view path) {
  std::ifstream file(fmt::format("{}/{}", PARTYWALL_SOURCE_DIR, path), std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("no file {}", path));
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

std::string example_text() { return read_source_file("examples/platform.yaml"); }

FakeFiles example_files() {
  FakeFiles files;
  files.add("secrets/context-1.key", std::string(64, 'a') + "\n");
  files.add("secrets/main-register.key", std::string(128, 'b') + "\n");
  for (const char* name : {"main-slots", "main-owner", "main-cache-door", "main-cache-tenants"}) {
    files.add(fmt::format("secrets/{}.password", name), fmt::format("password-of-{}\n", name));
  }
  files.add(
      "secrets/schema.verifier",
      "SCRAM-SHA-256$4096:TBApaX7jWHFdOhSirdgXxA==$csHGrufVGToPlcM2BNF5ASvwv/h6JdhgGETbmSN0GL4=:"
      "Kh1GZ7ezEYJD/4M3fgkI7eRbQbBdvB+B5xN1V/TQpS8=\n");
  files.add("login.example.com.jwks.json",
            R"({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
                          "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                          "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})");
  return files;
}

std::vector<std::string> problems_of(std::string_view text, FakeFiles files) {
  Diagnostics diagnostics;
  read_platform_file(text, files, diagnostics);
  std::vector<std::string> lines;
  for (const Diagnostic& found : diagnostics.items())
    lines.push_back(to_string(found, "platform.yaml"));
  return lines;
}

std::vector<std::string> problems_of(std::string_view text) {
  return problems_of(text, example_files());
}

}  // namespace partywall::store
