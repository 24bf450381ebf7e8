#include <span>
#include <utility>

#include "cache/transfer/scan.h"

namespace partywall::cache {
namespace {

class Exporter {
 public:
  Exporter(redis::Connection& source, const KeySpace& space, const TransferOptions& options,
           DumpWriter& writer, Pace& pace, const ProgressHook& progress)
      : source_(source),
        space_(space),
        options_(options),
        writer_(writer),
        pace_(pace),
        report_(progress) {}

  // Splits the keys so that about batch_bytes are asked for at once.
  Result<> take(const std::vector<std::string>& keys) {
    const auto sizes = ask_sizes(keys);
    if (!sizes) return std::unexpected(sizes.error());
    size_t first = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (i > first && bytes + (*sizes)[i] > options_.batch_bytes) {
        if (auto dumped = dump(std::span(keys).subspan(first, i - first)); !dumped) return dumped;
        first = i;
        bytes = 0;
      }
      bytes += (*sizes)[i];
    }
    if (auto dumped = dump(std::span(keys).subspan(first)); !dumped) return dumped;
    report_(done_);
    return {};
  }

  [[nodiscard]] const TransferProgress& done() const { return done_; }

 private:
  Result<std::vector<uint64_t>> ask_sizes(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      if (auto sent = source_.send({"MEMORY", "USAGE", key}); !sent)
        return std::unexpected(sent.error());
    }
    std::vector<uint64_t> sizes;
    for (const std::string& key : keys) {
      const auto size = source_.receive();
      if (!size) return std::unexpected(size.error());
      if (size->is_error()) return fail(ErrorKind::kDenied, "MEMORY USAGE: {}", size->text);
      sizes.push_back(static_cast<uint64_t>(std::max<int64_t>(size->number, 0)));
      if (sizes.back() <= options_.max_value_bytes) continue;
      return fail(ErrorKind::kLimit,
                  "key '{}' takes {} bytes, more than the {} that are moved in one piece; raise "
                  "the limit or delete it",
                  key, sizes.back(), options_.max_value_bytes);
    }
    return sizes;
  }

  Result<> dump(std::span<const std::string> keys) {
    for (const std::string& key : keys) {
      for (const char* name : {"PEXPIRETIME", "DUMP"}) {
        if (auto sent = source_.send({name, key}); !sent) return sent;
      }
    }
    for (const std::string& key : keys) {
      const auto expiry = source_.receive();
      if (!expiry) return std::unexpected(expiry.error());
      auto payload = source_.receive();
      if (!payload) return std::unexpected(payload.error());
      for (const redis::Reply* reply : {&std::as_const(*expiry), &std::as_const(*payload)}) {
        if (reply->is_error()) return fail(ErrorKind::kDenied, "key '{}': {}", key, reply->text);
      }
      // Deleted or expired meanwhile.
      if (payload->kind == redis::Reply::Kind::kNil) continue;
      if (auto added = write(key, expiry->number, std::move(payload->text)); !added) return added;
    }
    return {};
  }

  Result<> write(const std::string& key, int64_t expiry, std::string payload) {
    done_.keys += 1;
    done_.bytes += payload.size();
    const uint64_t bytes = key.size() + payload.size();
    auto added = writer_.add({.key = key.substr(space_.prefix.size()),
                              .expires_at_ms = expiry > 0 ? static_cast<uint64_t>(expiry) : 0,
                              .payload = std::move(payload),
                              .database = space_.number});
    pace_.moved(bytes);
    return added;
  }

  redis::Connection& source_;
  const KeySpace& space_;
  const TransferOptions& options_;
  DumpWriter& writer_;
  Pace& pace_;
  const ProgressHook& report_;
  TransferProgress done_;
};

}  // namespace

Result<TransferProgress> export_keys(redis::Connection& source, const KeySpace& space,
                                     const TransferOptions& options, DumpWriter& writer, Pace& pace,
                                     const ProgressHook& progress) {
  if (auto selected = select_database(source, space.database); !selected)
    return std::unexpected(selected.error());
  Exporter exporter(source, space, options, writer, pace, progress);
  const auto scanned =
      scan_keys(source, space, options.scan_count,
                [&](const std::vector<std::string>& keys) { return exporter.take(keys); });
  if (!scanned) return std::unexpected(scanned.error());
  return exporter.done();
}

}  // namespace partywall::cache
