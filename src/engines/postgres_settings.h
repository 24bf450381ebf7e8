#pragma once

#include <string_view>

namespace partywall::postgres {

// libpq's "options": with them every value has one text form, which every server reads back as the
// same value. https://www.postgresql.org/docs/15/runtime-config-client.html
inline constexpr std::string_view kPortableValues =
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex "
    "-c timezone=UTC -c lc_monetary=C -c xmlbinary=base64 -c statement_timeout=0 "
    "-c idle_in_transaction_session_timeout=0";

}  // namespace partywall::postgres
