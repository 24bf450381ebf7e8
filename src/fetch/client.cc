#include "fetch/client.h"

#include <array>
#include <stdexcept>
#include <string>

#include <curl/curl.h>

namespace partywall::fetch {
namespace {

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// What is being received.
struct Exchange {
  Response response;
  size_t max_bytes = 0;
  bool too_long = false;
};

size_t on_body(char* data, size_t size, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const size_t bytes = size * count;
  if (exchange.response.body.size() + bytes > exchange.max_bytes) {
    exchange.too_long = true;
    return 0;  // aborts the transfer
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

size_t on_header(char* data, size_t size, size_t count, void* context) {
  const std::string_view line(data, size * count);
  auto& headers = static_cast<Exchange*>(context)->response.headers;
  if (line.starts_with("HTTP/")) headers.clear();  // those of a 1xx before the answer do not count
  if (auto header = parse_header_line(line)) headers.push_back(*std::move(header));
  return line.size();
}

bool has_line_break(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

Result<HeaderList> make_header_list(const Headers& headers) {
  HeaderList list;
  // Without this libcurl asks for "100 Continue" before a longer body and waits a second for it.
  list.reset(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : headers) {
    if (has_line_break(name) || has_line_break(value)) {
      return fail(ErrorKind::kInvalid, "header {}: contains a line break", name);
    }
    curl_slist* longer = curl_slist_append(list.get(), fmt::format("{}: {}", name, value).c_str());
    if (!longer) throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
  }
  return list;
}

long milliseconds_of(Duration duration) {
  return static_cast<long>(std::max<int64_t>(1, duration / milliseconds(1)));
}

ErrorKind kind_of(CURLcode code, bool too_long) {
  if (too_long) return ErrorKind::kLimit;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::kTimeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorKind::kInvalid;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

struct Client::Impl {
  Handle handle;
  std::array<char, CURL_ERROR_SIZE> error_text{};

  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(handle.get(), option, value) != CURLE_OK) {
      throw std::logic_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
    }
  }

  void set_request(const Request& request, const HeaderList& headers, Exchange& exchange) {
    curl_easy_reset(handle.get());  // keeps the connections
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, error_text.data());
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (!request.body.empty()) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data());
    }
    if (!request.unix_socket.empty()) set(CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds_of(request.connect_timeout));
    set(CURLOPT_TIMEOUT_MS, milliseconds_of(request.timeout));
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, &exchange);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, &exchange);
  }
};

Client::Client() : impl_(std::make_unique<Impl>()) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  impl_->handle.reset(curl_easy_init());
  if (initialised != CURLE_OK || !impl_->handle)
    throw std::runtime_error("libcurl cannot be initialised");
}

Client::~Client() = default;

Result<Response> Client::send(const Request& request) {
  if (has_line_break(request.method) || request.method.find(' ') != std::string::npos ||
      request.method.empty()) {
    return fail(ErrorKind::kInvalid, "{}: not an HTTP method", request.method);
  }
  auto headers = make_header_list(request.headers);
  if (!headers) return std::unexpected(headers.error());
  Exchange exchange{.response = {}, .max_bytes = request.max_response_bytes};
  impl_->error_text[0] = '\0';
  impl_->set_request(request, *headers, exchange);
  const CURLcode code = curl_easy_perform(impl_->handle.get());
  if (code != CURLE_OK) {
    const char* reason =
        impl_->error_text[0] != '\0' ? impl_->error_text.data() : curl_easy_strerror(code);
    if (exchange.too_long) reason = "the answer is longer than allowed";
    return fail(kind_of(code, exchange.too_long), "{} {}: {}", request.method, request.url, reason);
  }
  long status = 0;
  curl_easy_getinfo(impl_->handle.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace partywall::fetch
