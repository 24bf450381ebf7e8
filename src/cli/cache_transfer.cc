#include "cli/cache_transfer.h"

#include <cstdio>
#include <memory>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/file_descriptor.h"
#include "base/json_writer.h"
#include "base/private_file.h"
#include "base/text.h"
#include "cache/transfer/erase_tenant.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/platform_loader.h"

namespace partywall::cli {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin && file != stdout) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Result<File> open_input(const std::string& path) {
  if (path == "-") return File(stdin);
  File file(std::fopen(path.c_str(), "rb"));
  if (file) return file;
  return fail(ErrorKind::kNotFound, "{}: {}", path, std::system_category().message(errno));
}

// A new file, which only its owner may read: it holds a customer's data.
Result<File> create_output(const std::string& path) {
  if (path == "-") return File(stdout);
  constexpr int kOwnerOnly = 0600;
  FileDescriptor descriptor(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly));
  if (!descriptor.valid())
    return fail(ErrorKind::kDenied, "{}: {}", path, std::system_category().message(errno));
  File file(::fdopen(descriptor.number(), "wb"));
  if (file) descriptor.release();
  return file;
}

cache::ByteSink writing_to(std::FILE* file) {
  return [file](std::string_view bytes) -> Result<> {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size()) return {};
    return fail(ErrorKind::kUnavailable, "writing: {}", std::system_category().message(errno));
  };
}

cache::ByteSource reading_from(std::FILE* file) {
  return [file](std::span<char> into) -> Result<size_t> {
    const size_t count = std::fread(into.data(), 1, into.size(), file);
    if (count > 0 || std::ferror(file) == 0) return count;
    return fail(ErrorKind::kUnavailable, "reading: {}", std::system_category().message(errno));
  };
}

Result<Secret> read_password(const std::string& path) {
  auto text = read_private_file(path);
  if (!text) return std::unexpected(text.error());
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return Secret(*std::move(text));
}

// The tenant and its cache, out of the platform file.
struct Place {
  DirectoryRef directory;
  const Tenant* tenant = nullptr;
  const CacheBackend* backend = nullptr;
  const CacheInstance* instance = nullptr;
  cache::RedisAdministrator administrator;
  std::vector<cache::KeySpace> spaces;  // one for each of its databases

  [[nodiscard]] Result<redis::Connection> open() const {
    return cache::open_primary(*backend, *instance, administrator,
                               cache::hash_slot(spaces.front().prefix));
  }
};

Result<Place> find_place(const CacheTransferOptions& options) {
  PlatformLoader platform(options.platform_file);
  const auto loaded = platform.load();
  if (!loaded) return fail(ErrorKind::kInvalid, "{} has errors", options.platform_file);
  Place place{.directory = loaded->directory};
  place.tenant = place.directory->find_tenant_by_name(options.tenant);
  if (!place.tenant) return fail(ErrorKind::kNotFound, "there is no tenant '{}'", options.tenant);
  place.backend = &place.directory->find_cell(place.tenant->cell)->cache;
  place.instance = place.backend->find_instance(place.tenant->cache_instance);
  if (!place.instance)
    return fail(ErrorKind::kNotFound, "the cell of tenant '{}' has no cache", place.tenant->slug);
  place.spaces = cache::key_spaces_of(*place.backend, *place.tenant);
  auto password = read_password(options.password_file);
  if (!password) return std::unexpected(password.error());
  place.administrator = {.user = options.administrator, .password = *std::move(password)};
  return place;
}

cache::Pace make_pace(const CacheTransferOptions& options, const TimeSource& time) {
  return {options.megabytes_per_second << 20, time,
          [](Duration wait) { std::this_thread::sleep_for(wait); }};
}

// At most every second.
cache::ProgressHook progress_line(const TimeSource& time) {
  auto last = std::make_shared<MonotonicTime>(time.monotonic());
  return [last, &time](const cache::TransferProgress& progress) {
    if (time.monotonic() - *last < seconds(1)) return;
    *last = time.monotonic();
    fmt::print(stderr, "{} keys, {}\n", progress.keys, format_size(progress.bytes));
  };
}

struct Source {
  redis::Connection connection;
  std::vector<cache::KeySpace> spaces;
};

Result<Source> open_foreign(const ForeignSource& foreign) {
  const auto endpoint = parse_endpoint(foreign.address);
  if (!endpoint) return std::unexpected(endpoint.error());
  redis::ConnectionSettings settings{.endpoint = *endpoint, .user = foreign.user};
  if (!foreign.password_file.empty()) {
    auto password = read_password(foreign.password_file);
    if (!password) return std::unexpected(password.error());
    settings.password = *std::move(password);
  }
  auto connection = redis::Connection::open(settings);
  if (!connection) return std::unexpected(connection.error());
  return Source{*std::move(connection), {{.database = foreign.database, .prefix = foreign.prefix}}};
}

Result<Source> open_source(const Place& place, const ForeignSource& foreign) {
  if (!foreign.address.empty()) return open_foreign(foreign);
  auto connection = place.open();
  if (!connection) return std::unexpected(connection.error());
  return Source{*std::move(connection), place.spaces};
}

Result<uint64_t> count_keys(redis::Connection& connection,
                            const std::vector<cache::KeySpace>& spaces) {
  uint64_t count = 0;
  for (const cache::KeySpace& space : spaces) {
    const auto keys = cache::count_keys(connection, space, {});
    if (!keys) return keys;
    count += *keys;
  }
  return count;
}

}  // namespace

int cache_export(const CacheTransferOptions& options, const ForeignSource& foreign) {
  const auto place = find_place(options);
  if (!place) return failed("cache export", place.error());
  auto source = open_source(*place, foreign);
  if (!source) return failed("cache export", source.error());
  auto file = create_output(options.file);
  if (!file) return failed("cache export", file.error());
  const SystemTime time;
  cache::Pace pace = make_pace(options, time);
  cache::DumpWriter writer(writing_to(file->get()));
  const auto now = static_cast<uint64_t>(time.wall().time_since_epoch().count());
  if (auto begun = writer.begin({.tenant = place->tenant->id.value(), .created_at_ms = now});
      !begun)
    return failed("cache export", begun.error());
  cache::TransferProgress done;
  for (const cache::KeySpace& space : source->spaces) {
    const auto part =
        cache::export_keys(source->connection, space, {}, writer, pace, progress_line(time));
    if (!part) return failed("cache export", part.error());
    done.keys += part->keys;
    done.bytes += part->bytes;
  }
  if (auto ended = writer.end(); !ended) return failed("cache export", ended.error());
  if (std::fflush(file->get()) != 0)
    return failed("cache export", {ErrorKind::kUnavailable, "the export cannot be written"});
  fmt::print(stderr, "exported {} keys, {}\n", done.keys, format_size(done.bytes));
  return kExitSuccess;
}

int cache_import(const CacheTransferOptions& options, ExistingKeys existing) {
  const auto place = find_place(options);
  if (!place) return failed("cache import", place.error());
  auto target = place->open();
  if (!target) return failed("cache import", target.error());
  const auto present = count_keys(*target, place->spaces);
  if (!present) return failed("cache import", present.error());
  if (*present > 0 && existing == ExistingKeys::kRefuse) {
    return failed(
        "cache import",
        {ErrorKind::kDenied, fmt::format("tenant {} has {} keys already; erase them first, or say "
                                         "--merge to keep them and replace those of the same name",
                                         place->tenant->slug, *present)});
  }
  auto file = open_input(options.file);
  if (!file) return failed("cache import", file.error());
  cache::DumpReader reader(reading_from(file->get()));
  const auto header = reader.begin();
  if (!header) return failed("cache import", header.error());
  if (header->tenant != place->tenant->id.value()) {
    fmt::print(stderr, "the export is of tenant {}, its keys become those of tenant {}\n",
               header->tenant.to_string(), place->tenant->slug);
  }
  const SystemTime time;
  cache::Pace pace = make_pace(options, time);
  const auto done =
      cache::import_keys(*target, place->spaces, {}, reader, pace, progress_line(time));
  if (!done) return failed("cache import", done.error());
  const auto count = count_keys(*target, place->spaces);
  if (!count) return failed("cache import", count.error());
  fmt::print(stderr, "imported {} keys, {}; tenant {} has {} keys now\n", done->keys,
             format_size(done->bytes), place->tenant->slug, *count);
  return kExitSuccess;
}

int cache_erase(const CacheTransferOptions& options) {
  const auto place = find_place(options);
  if (!place) return failed("cache erase", place.error());
  if (is_served(place->tenant->status)) {
    return failed(
        "cache erase",
        {ErrorKind::kDenied, fmt::format("tenant {} is {}; suspend it first, so that nobody writes "
                                         "while it is erased",
                                         place->tenant->slug, to_string(place->tenant->status))});
  }
  const auto erasure = cache::erase_tenant(*place->backend, *place->instance, place->administrator,
                                           *place->tenant, {}, seconds(10));
  if (!erasure) return failed("cache erase", erasure.error());
  for (const cache::Remains& remains : erasure->proof) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .key("server")
        .value(remains.server.to_string())
        .key("tenant")
        .value(place->tenant->id.value().to_string())
        .key("keys")
        .value(remains.keys)
        .key("user")
        .value(remains.has_user)
        .key("channels")
        .value(remains.channels)
        .end_object();
    fmt::print("{}\n", line);
  }
  fmt::print(stderr, "erased {} keys of tenant {}\n", erasure->erased_keys, place->tenant->slug);
  if (erasure->complete()) return kExitSuccess;
  return failed("cache erase",
                {ErrorKind::kUnavailable,
                 "something is left (see above); run it again when the doors have ended "
                 "the tenant's subscriptions and the replicas follow"});
}

}  // namespace partywall::cli
