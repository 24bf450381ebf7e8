"""The command line against a control plane: what people see, and what scripts get."""
import json
import os
import subprocess

import pytest
from support.paths import partywall_binary


@pytest.fixture(scope="module")
def cli(control, tmp_path_factory):
    """Runs `partywall` with a context for the owner; gives (exit status, standard output, standard error)."""
    folder = tmp_path_factory.mktemp("cli")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PARTYWALL_CONFIG": str(folder / "config.json")}

    def run(*arguments, stdin=""):
        done = subprocess.run([partywall_binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=120,
                              env=environment, cwd=folder)
        return done.returncode, done.stdout, done.stderr

    added = run("context", "add", "test", "--url", f"http://127.0.0.1:{control.port}", "--token-file", "-",
                stdin=control.owner.token + "\n")
    assert added == (0, "", "")
    run.config = folder / "config.json"
    return run


def test_tenants_as_people_see_them(cli):
    assert cli("tenant", "create", "shop", "--name", "The Shop", "--limit", "weight=3") == (0, "tenant shop requested\n", "")
    status, out, _ = cli("tenant", "list", "--text", "shop")
    identity = out.splitlines()[1].split()[-1]
    assert (status, out) == (0, "SLUG  STATUS     TIER  CELL  REGION  NAME      ID\n"
                                f"shop  requested  free  main  -       The Shop  {identity}\n")
    assert "weight: 3\n" in cli("tenant", "show", "shop")[1]
    assert cli("tenant", "limits", "shop", "max_db_connections=9", "--reason", "launch")[0] == 0
    shown = json.loads(cli("get", "tenant", "shop", "-o", "json")[1])
    assert shown["limits"]["max_db_connections"] == 9
    assert cli("tenant", "limits", "shop", "max_db_connections")[:2] == (0, "tenant shop: max_db_connections is the tier's\n")
    assert cli("tenant", "tier", "shop", "pro")[:2] == (0, "tenant shop is on tier pro\n")
    assert 'tier: "pro"\n' in cli("get", "tenants", "shop", "-o", "yaml")[1]


def test_what_cannot_be_undone_is_not_done_by_accident(cli):
    cli("tenant", "create", "careful")
    status, out, error = cli("tenant", "delete", "careful")
    assert (status, out) == (2, "") and "--yes" in error
    assert cli("tenant", "delete", "careful", "--yes") == (0, "tenant careful is being offboarded\n", "")
    assert cli("tenant", "erase", "careful", "--yes")[0] == 5


def test_exit_codes_tell_failures_apart(cli, control):
    assert cli("tenant", "show", "nobody")[0] == 3
    assert cli("tenant", "suspend", "nobody", "--context", "tset") == \
        (2, "", f"partywall: there is no context 'tset' in {cli.config}; did you mean 'test'?\n")
    cli("context", "add", "wrong", "--url", f"http://127.0.0.1:{control.port}", "--token-file", "-", stdin="pwa_wrong\n")
    assert cli("tenant", "list", "--context", "wrong")[0] == 4
    cli("context", "add", "gone", "--url", "http://127.0.0.1:1", "--token-file", "-", stdin="x\n")
    assert cli("tenant", "list", "--context", "gone")[0] == 6
    assert cli("tenant", "create", "Bad_Slug")[0] == 1


@pytest.mark.parametrize("words, meant", [(["tenat", "list"], "tenant"), (["tenant", "lst"], "list"), (["get", "tier s"], "tiers")])
def test_mistyped_words_are_understood(cli, words, meant):
    status, _, error = cli(*words)
    assert status == 2 and f"did you mean '{meant}'?" in error


def test_tiers_cells_and_routes(cli):
    assert cli("tier", "set", "gold", "weight=8", "api_rate_limit=500/1s+20")[0] in (0, 3)
    assert cli("tier", "set", "fenced", "cache_scripts=functions")[0] == 0
    assert '"cache_scripts": "functions"' in json.dumps(json.loads(cli("tier", "show", "fenced", "-o", "json")[1]))
    refused = cli("tier", "set", "fenced", "cache_scripts=some")
    assert refused[0] != 0 and "cache_scripts must be any, functions or none" in refused[2]
    assert cli("tier", "set", "gold", "weight=8") == (0, "tier gold set\n", "")
    assert cli("tier", "set", "gold", "max_db_connections=33")[0] == 0
    limits = json.loads(cli("tier", "show", "gold", "-o", "json")[1])["limits"]
    assert limits["weight"] == 8 and limits["max_db_connections"] == 33
    assert cli("cell", "drain", "main") == (0, "cell main is draining\n", "")
    assert cli("cell", "activate", "main") == (0, "cell main takes tenants\n", "")
    assert cli("route", "set", "/api", "--pool", "web") == (0, "route /api set\n", "")
    assert cli("get", "routes")[1] == "PREFIX  POOL  AUTHENTICATED\n/api    web   true\n"
    assert cli("route", "delete", "/api", "--yes") == (0, "route /api removed\n", "")
    assert cli("tier", "delete", "gold", "--yes") == (0, "tier gold removed\n", "")


def test_tokens_are_shown_once(cli):
    status, out, _ = cli("token", "create", "--role", "viewer", "--name", "dashboards", "-o", "json")
    made = json.loads(out)
    assert status == 0 and made["token"].startswith("pwa_")
    listed = cli("token", "list")[1]
    assert "dashboards" in listed and made["token"] not in listed
    assert cli("token", "revoke", made["id"], "--yes")[0] == 0


def test_events_and_operations(cli):
    cli("tenant", "create", "evented")
    assert "tenant.created" in cli("events", "--tenant", "evented")[1]
    operation = json.loads(cli("operation", "list", "--tenant", "evented", "-o", "json")[1])[0]
    assert operation["kind"] == "tenant.provision"
    assert cli("operation", "cancel", operation["id"])[0] == 0
    status, out, _ = cli("operation", "watch", operation["id"])
    assert status == 1 and "cancelled" in out


PLATFORM = """
version: 1
identity: {context_keys: [{id: 1, file: key}]}
cells: {main: {kind: shared, region: eu, pools: {web: {}}}}
routes: [{path: /, pool: web}]
tenants:
"""


def test_apply_shows_what_it_does(cli, tmp_path):
    (tmp_path / "key").write_text("ab" * 32)
    (tmp_path / "key").chmod(0o600)
    file = tmp_path / "platform.yaml"
    tenant = "  - {{slug: {}, id: 00000000-0000-4000-8000-0000000000{:02x}, tier: {}, cell: main}}\n"
    file.write_text(PLATFORM + "".join(tenant.format(f"plan-{n}", n + 1, "free") for n in range(3)))
    status, planned, error = cli("apply", "-f", str(file), "--dry-run")
    assert status == 0, (planned, error)
    assert "+ tenant plan-0\n+ tenant plan-1\n+ tenant plan-2\n" in planned
    status, done, error = cli("apply", "-f", str(file))
    assert status == 0, (done, error)
    assert cli("apply", "-f", str(file)) == (0, "changes made: 0\n", "")
    file.write_text(file.read_text().replace("plan-1, id", "plan-1, name: Two, id"))
    assert cli("apply", "-f", str(file))[1] == "~ tenant plan-1\n    name: plan-1 -> Two\nchanges made: 1\n"
    assert cli("apply", "-f", str(file), "--prune")[0] == 2  # says to look first
    assert "- tenant shop\n" in cli("apply", "-f", str(file), "--prune", "--dry-run")[1]


def test_apply_leaves_the_keys_of_a_platform_file_where_they_are(cli, tmp_path):
    """In the file's nodes a tenant's keys begin with its id, unless it names a tag: so they do in the store's."""
    for name in ("key", "door", "tenants"):
        (tmp_path / name).write_text("ab" * 32)
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "platform.yaml"
    uuid = "00000000-0000-4000-8000-0000000001{:02x}"
    cache = "{address: 127.0.0.1, port: 1, mode: prefix, door_user: door, door_password_file: door, tenant_password_file: tenants}"
    file.write_text(PLATFORM.replace("cells: {", "cells: {keys: {region: eu, pools: {web: {}}, cache: " + cache + "}, ") +
                    f"  - {{slug: by-id, id: {uuid.format(1)}, tier: free, cell: keys}}\n"
                    f"  - {{slug: by-tag, id: {uuid.format(2)}, tier: free, cell: keys, cache_tag: shop}}\n")
    status, done, error = cli("apply", "-f", str(file))
    assert status == 0, (done, error)
    tags = {slug: json.loads(cli("tenant", "show", slug, "-o", "json")[1])["placement"]["cache_tag"] for slug in ("by-id", "by-tag")}
    assert tags == {"by-id": uuid.format(1), "by-tag": "shop"}
    assert cli("apply", "-f", str(file)) == (0, "changes made: 0\n", "")


def test_the_file_with_the_tokens_is_private(cli, control):
    assert cli.config.stat().st_mode & 0o777 == 0o600
    listed = cli("context", "list")[1]
    assert "test" in listed and control.owner.token not in listed
    cli.config.chmod(0o644)
    status, _, error = cli("tenant", "list")
    assert status != 0 and "chmod 600" in error
    cli.config.chmod(0o600)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_comes_from_the_binary(cli, shell):
    assert "partywall __complete" in cli("completion", shell)[1]
    assert {"tenant", "tier", "apply"} <= set(cli("__complete")[1].split())
    assert {"create", "suspend"} <= set(cli("__complete", "tenant")[1].split())
    assert "--reason" in cli("__complete", "tenant", "list")[1].split()
