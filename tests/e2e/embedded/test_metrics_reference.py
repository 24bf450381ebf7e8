"""docs/reference/metrics.md says of each family what a node answers: its type, its labels, its help."""
import re
import urllib.request

from support.paths import REPOSITORY

ROW = re.compile(r"^\| `(partywall_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
SAMPLE = re.compile(r"^(partywall_\w+)(?:\{(.*)\})? ")


def answered(text):
    """{name: [type, help]} and {name: {labels}} of an OpenMetrics answer, with the names that a scraper sees."""
    families, labels = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:4]
            families[name] = [kind, ""]
        elif line.startswith("# HELP "):
            name, words = line.split(" ", 3)[2:4]
            families.setdefault(name, ["", ""])[1] = words.rstrip(".")
        elif sample := SAMPLE.match(line):
            name = sample[1]
            for suffix in ("_total", "_bucket", "_sum", "_count", "_created"):
                if name.removesuffix(suffix) in families:
                    name = name.removesuffix(suffix)
            labels.setdefault(name, set()).update(re.findall(r'(\w+)="', sample[2] or ""))
    def seen_as(name):
        return name + ("_total" if families[name][0] == "counter" else "")
    return ({seen_as(name): tuple(family) for name, family in families.items()},
            {seen_as(name): found - {"le"} for name, found in labels.items()})


def test_the_page_says_what_a_node_answers(up):
    up.json("/api/products?limit=1", tenant="globex")
    with urllib.request.urlopen(f"http://127.0.0.1:{up.run['admin']['port']}/metrics", timeout=20) as answer:
        families, labels = answered(answer.read().decode())
    page = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text()
    documented = {name: (kind, words, set() if said == "-" else set(said.split(", ")))
                  for name, kind, said, words in ROW.findall(page)}
    assert len(families) > 50
    for name, (kind, words) in families.items():
        assert documented[name][:2] == (kind, words), name
    for name, found in labels.items():
        assert documented[name][2] == found, name
