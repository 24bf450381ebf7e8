// Any bytes in place of either peer's messages, and of a stored verifier: nothing but the right
// proof authenticates, and nothing crashes.
#include <cstdlib>
#include <string>
#include <string_view>

#include "identity/scram.h"

namespace {

using namespace partywall;

std::string_view take_line(std::string_view& input) {
  const size_t end = input.find('\n');
  const std::string_view line = input.substr(0, end);
  input = end == input.npos ? std::string_view() : input.substr(end + 1);
  return line;
}

// Up to three digits of iterations; more would only make the fuzzer slow.
bool asks_for_little_work(std::string_view server_first) {
  const size_t count = server_first.find(",i=");
  return count == server_first.npos ||
         server_first.substr(count + 3).find_first_not_of("0123456789") <= 3 ||
         server_first.size() - count <= 6;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  static const ScramVerifier verifier = make_scram_verifier("pencil", "salt", 1).value();
  const std::string_view mechanism = take_line(input);
  const std::string_view first = take_line(input);
  const std::string_view final = take_line(input);

  ScramServerFsm server(verifier, {"binding"}, "nonce");
  if (server.respond_to_first(mechanism, first) && server.respond_to_final(final)) std::abort();

  ScramClientFsm client(Secret("pencil"),
                        ScramClientKeys{"salt", 1, Secret(std::string(32, 'k')), Secret("s")}, {},
                        "nonce");
  if (!client.choose_mechanism({"SCRAM-SHA-256"}) || !client.first_message()) std::abort();
  if (asks_for_little_work(first)) (void)client.respond_to_first(first);
  if (client.check_final(final)) std::abort();

  if (auto parsed = ScramVerifier::parse(first)) {
    const auto again = ScramVerifier::parse(parsed->to_string());
    if (!again || again->to_string() != parsed->to_string()) std::abort();
  }
  return 0;
}
