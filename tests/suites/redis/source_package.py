"""Fetches a Debian source package into a folder of one's own, from where the system's packages come from. Nothing of
the system's apt is changed."""
import os
import pathlib
import platform
import subprocess

APT = pathlib.Path("/etc/apt")


def one_line_entries(text):
    """(options, address, suite, components) of each "deb …" line."""
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        options = ""
        if words[1].startswith("["):
            end = next(i for i, word in enumerate(words) if word.endswith("]"))
            options = " ".join(words[1:end + 1])
            del words[1:end + 1]
        yield options, words[1], words[2], " ".join(words[3:])


def stanza_entries(text):
    """The same of a deb822 file."""
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith("#"))
        if "deb" not in fields.get("Types", "").split():
            continue
        options = f"[signed-by={fields['Signed-By']}]" if "Signed-By" in fields else ""
        for suite in fields["Suites"].split():
            yield options, fields["URIs"].split()[0], suite, fields.get("Components", "")


def source_list():
    """The system's own sources of its release, for source packages."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    files = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))]
    lines = []
    for file in filter(pathlib.Path.is_file, files):
        entries = stanza_entries(file.read_text()) if file.suffix == ".sources" else one_line_entries(file.read_text())
        lines += [f"deb-src {options} {address} {suite} {components}\n" for options, address, suite, components in entries
                  if suite.split("-")[0].split("/")[0] == release]
    return "".join(lines)


def fetch(name, folder):
    """The unpacked package's folder."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "sources.list").write_text(source_list())
    (folder / "apt.conf").write_text(f"""Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "root";
""")
    environment = os.environ | {"APT_CONFIG": str(folder / "apt.conf")}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "source", "-qq", name]):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=600)
    found = [path for path in folder.glob(f"{name}-*") if path.is_dir()]
    if len(found) != 1:
        raise SystemExit(f"apt-get source {name} gave {found}")
    return found[0]
