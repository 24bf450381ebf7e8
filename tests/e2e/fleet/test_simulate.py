"""`partywall simulate` on recorded loads: the figures that docs/fleet.md quotes stay true."""
import csv
import subprocess

from support.paths import shared_file


def trace(name):
    return shared_file(f"traces/{name}")


def simulate(binary, tmp_path, names, *options):
    figures = tmp_path / "figures.csv"
    command = [binary, "simulate", "--csv", figures, "--html", tmp_path / "report.html", *options]
    for name in names:
        command += ["--trace", trace(name)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    with open(figures, newline="") as file:
        return {row["policy"]: {key: float(value) for key, value in row.items() if key != "policy"}
                for row in csv.DictReader(file)}


def at_risk(row):
    return row["at_risk"] / row["requests"]


def of_reference(row):
    return row["instance_hours"] / row["reference_hours"]


def test_world_cup(binary, tmp_path):
    rows = simulate(binary, tmp_path, ["worldcup98_per_minute.csv"])
    assert at_risk(rows["default"]) < 0.001
    assert of_reference(rows["default"]) <= 1.15
    assert at_risk(rows["case-a"]) > 10 * at_risk(rows["default"])
    report = (tmp_path / "report.html").read_text()
    assert report.count("<svg") == 2 * len(rows)
    assert "http" not in report, "the report needs nothing from elsewhere"


def test_five_bursty_tenants(binary, tmp_path):
    names = [f"tweets_{name}.csv" for name in ("AAPL", "AMZN", "CRM", "KO", "UPS")]
    rows = simulate(binary, tmp_path, names)
    assert at_risk(rows["default"]) < 0.01
    assert of_reference(rows["default"]) <= 1.05
    assert at_risk(rows["default"]) < at_risk(rows["offered-load"]) < at_risk(rows["case-a"])


def test_a_spike_of_ten_times_and_a_lost_zone(binary, tmp_path):
    names = ["elb_request_count.csv"]
    quiet = simulate(binary, tmp_path, names, "--policy", "default")
    spiked = simulate(binary, tmp_path, names, "--policy", "default", "--spike", "10",
                      "--spike-at", "24h", "--spike-length", "1h", "--lose-zone", "0.33", "--lose-zone-at", "30h")
    assert spiked["default"]["requests"] > quiet["default"]["requests"]
    assert spiked["default"]["peak_instances"] > quiet["default"]["peak_instances"]
    assert spiked["default"]["worst_recovery_seconds"] < 15 * 60


def test_a_policy_from_a_file_and_what_is_wrong_with_one(binary, tmp_path):
    policy = tmp_path / "pool.yaml"
    policy.write_text("min: 4\nmax: 8\ncpu: {target_utilisation: 0.5}\n")
    rows = simulate(binary, tmp_path, ["elb_request_count.csv"], "--policy", str(policy))
    assert rows[str(policy)]["peak_instances"] <= 8

    policy.write_text("min: 4\nmax: 8\ncpuu: {}\n")
    refused = subprocess.run(
        [binary, "simulate", "--trace", trace("elb_request_count.csv"), "--policy", policy],
        capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "pool.yaml:3:1" in refused.stderr and "did you mean 'cpu'" in refused.stderr
