// A COPY stream in both formats, whole and in pieces of every size: the same bytes and the same
// sum or the same failure; every row that comes out begins with the tenant, and without a tenant
// nothing is changed.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "migrate/copy/copy_splice.h"

namespace {

using namespace partywall::migrate;

constexpr size_t kMaxRow = 256;
const partywall::Uuid kTenant =
    partywall::Uuid::from_halves(0x0123456789abcdef, 0xfedcba9876543210);

void require(bool fine) {
  if (!fine) std::abort();
}

struct Outcome {
  std::string out;
  RowSum sum;
  std::string error;
};

template <class Splice>
Outcome spliced(const SpliceSettings& settings, std::string_view stream, size_t piece) {
  Splice splice(settings);
  Outcome outcome;
  while (!stream.empty() && outcome.error.empty()) {
    const std::string_view part = stream.substr(0, piece);
    stream.remove_prefix(part.size());
    if (auto fed = splice.feed(part, outcome.out); !fed) outcome.error = fed.error().message;
  }
  if (outcome.error.empty()) {
    if (auto ended = splice.finish(); !ended) outcome.error = ended.error().message;
  }
  outcome.sum = splice.sum();
  return outcome;
}

template <class Splice>
void check(SpliceSettings settings, std::string_view stream, size_t piece) {
  const Outcome whole = spliced<Splice>(settings, stream, SIZE_MAX);
  const Outcome cut = spliced<Splice>(settings, stream, piece);
  require(whole.error == cut.error && whole.out == cut.out && whole.sum == cut.sum);
  require(whole.out.size() <= stream.size() + whole.sum.rows * 37);
  settings.tenant.reset();
  const Outcome plain = spliced<Splice>(settings, stream, SIZE_MAX);
  require(plain.error == whole.error && plain.sum == whole.sum);
  require(stream.starts_with(plain.out));
  if (plain.error.empty()) require(plain.out == stream);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const SpliceSettings settings{
      .tenant = kTenant, .columns = static_cast<uint16_t>(data[0] % 4), .max_row_bytes = kMaxRow};
  const size_t piece = size_t{data[1]} % 32 + 1;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  check<BinarySplice>(settings, stream, piece);
  check<TextSplice>(settings, stream, piece);
  return 0;
}
