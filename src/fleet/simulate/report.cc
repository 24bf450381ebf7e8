#include "fleet/simulate/report.h"

#include <functional>

namespace partywall::fleet {
namespace {

struct Column {
  std::string_view title;
  std::function<std::string(const SimulationResult&)> text;
};

std::string percent(double share) { return fmt::format("{:.3f} %", 100 * share); }
std::string milliseconds_of(double value) { return fmt::format("{:.0f} ms", 1000 * value); }
std::string seconds_text(double value) { return fmt::format("{:.0f} s", value); }

const std::vector<Column>& columns() {
  static const std::vector<Column> kColumns = {
      {"policy", [](const auto& r) { return r.policy; }},
      {"at risk", [](const auto& r) { return percent(r.at_risk_share()); }},
      {"failed", [](const auto& r) { return percent(r.requests > 0 ? r.failed / r.requests : 0); }},
      {"inst. hours", [](const auto& r) { return fmt::format("{:.0f}", r.instance_hours); }},
      {"of reference", [](const auto& r) { return fmt::format("{:.3f}", r.hours_ratio()); }},
      {"actions", [](const auto& r) { return fmt::format("{}", r.actions); }},
      {"peak", [](const auto& r) { return fmt::format("{}", r.peak_instances); }},
      {"p50", [](const auto& r) { return milliseconds_of(r.p50); }},
      {"p95", [](const auto& r) { return milliseconds_of(r.p95); }},
      {"p99", [](const auto& r) { return milliseconds_of(r.p99); }},
      {"under", [](const auto& r) { return percent(r.under_provision); }},
      {"over", [](const auto& r) { return percent(r.over_provision); }},
      {"recovery", [](const auto& r) { return seconds_text(r.mean_recovery); }},
      {"worst", [](const auto& r) { return seconds_text(r.worst_recovery); }},
      {"cost", [](const auto& r) { return fmt::format("{:.2f}", r.cost); }}};
  return kColumns;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr double kWidth = 1100;
constexpr double kHeight = 220;

// One curve through the points, scaled to `most`.
template <class Value>
std::string polyline(const std::vector<SimulationPoint>& points, double most,
                     std::string_view style, Value value) {
  std::string out = fmt::format("<polyline class=\"{}\" points=\"", style);
  for (size_t i = 0; i < points.size(); ++i) {
    const double x = kWidth * static_cast<double>(i) / static_cast<double>(points.size());
    out += fmt::format("{:.1f},{:.1f} ", x, kHeight * (1 - value(points[i]) / most));
  }
  return out + "\"/>";
}

std::string plot(const SimulationResult& result) {
  double most = 1;
  double most_instances = 1;
  for (const SimulationPoint& point : result.points) {
    most = std::max({most, point.load, point.capacity});
    most_instances = std::max(most_instances, static_cast<double>(point.instances));
  }
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\">", kWidth, kHeight);
  out += polyline(result.points, most, "capacity", [](const auto& p) { return p.capacity; });
  out += polyline(result.points, most, "load", [](const auto& p) { return p.load; });
  out += "</svg>";
  out += fmt::format("<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" class=\"low\">",
                     kWidth, kHeight);
  out += polyline(result.points, most_instances, "instances",
                  [](const auto& p) { return static_cast<double>(p.instances); });
  out += "</svg>";
  out += fmt::format(
      "<p>Above: <b class=\"load\">load</b> and <b class=\"capacity\">capacity</b> in requests in "
      "flight, up to "
      "{:.0f}. Below: <b class=\"instances\">instances</b>, up to {:.0f}.</p>",
      most, most_instances);
  return out;
}

constexpr std::string_view kStyle =
    "body{font:14px system-ui,sans-serif;max-width:1140px;margin:2em auto;color:#223}"
    "table{border-collapse:collapse}td,th{padding:.3em .7em;text-align:right;border-bottom:1px "
    "solid #ccd}"
    "td:first-child,th:first-child{text-align:left}svg{width:100%;height:220px;background:#f6f7fa}"
    "svg.low{height:80px;margin-top:4px}polyline{fill:none;vector-effect:non-scaling-stroke;stroke-"
    "width:1}"
    "polyline.load{stroke:#c33}polyline.capacity{stroke:#36c}polyline.instances{stroke:#383}"
    "b.load{color:#c33}b.capacity{color:#36c}b.instances{color:#383}";

}  // namespace

std::string text_report(const std::vector<SimulationResult>& results) {
  std::vector<std::vector<std::string>> rows(1);
  for (const Column& column : columns()) rows[0].emplace_back(column.title);
  for (const SimulationResult& result : results) {
    auto& row = rows.emplace_back();
    for (const Column& column : columns()) row.push_back(column.text(result));
  }
  std::vector<size_t> widths(columns().size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? fmt::format("{:<{}}", row[i], widths[i])
                    : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    out += '\n';
  }
  return out;
}

std::string csv_report(const std::vector<SimulationResult>& results) {
  std::string out =
      "policy,requests,at_risk,failed,instance_hours,reference_hours,actions,peak_instances,"
      "p50_seconds,p95_seconds,p99_seconds,under_provision,over_provision,under_time,"
      "over_time,mean_recovery_seconds,worst_recovery_seconds,cost\n";
  for (const SimulationResult& r : results) {
    out += fmt::format(
        "{},{:.0f},{:.1f},{:.1f},{:.2f},{:.2f},{},{},{:.4f},{:.4f},{:.4f},{:.5f},{:.5f},{:.5f},{:."
        "5f},"
        "{:.1f},{:.1f},{:.2f}\n",
        r.policy, r.requests, r.at_risk, r.failed, r.instance_hours, r.reference_hours, r.actions,
        r.peak_instances, r.p50, r.p95, r.p99, r.under_provision, r.over_provision, r.under_time,
        r.over_time, r.mean_recovery, r.worst_recovery, r.cost);
  }
  return out;
}

std::string html_report(const std::string& title, const std::vector<SimulationResult>& results) {
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><meta "
      "charset=\"utf-8\"><title>{0}</title><style>{1}</style><h1>{0}</h1><table><tr>",
      escape_html(title), kStyle);
  for (const Column& column : columns())
    out += fmt::format("<th>{}</th>", escape_html(column.title));
  out += "</tr>";
  for (const SimulationResult& result : results) {
    out += "<tr>";
    for (const Column& column : columns()) {
      out += fmt::format("<td>{}</td>", escape_html(column.text(result)));
    }
    out += "</tr>";
  }
  out += "</table>";
  for (const SimulationResult& result : results) {
    out += fmt::format("<h2>{}</h2>{}", escape_html(result.policy), plot(result));
  }
  return out + "</html>\n";
}

}  // namespace partywall::fleet
