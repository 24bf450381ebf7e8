#!/usr/bin/python3
"""Writes what a Redis says about its commands, for generate.py.

usage: snapshot.py HOST PORT > redis-7.0.json
"""
import json
import sys

import redis


def rows(reply):
    for command in reply:
        name, arity, flags, _, _, _, categories, _, key_specs, subcommands = command
        yield name, {"arity": arity, "flags": sorted(flags), "categories": sorted(c[1:] for c in categories),
                     "keys": key_specs}
        yield from rows(subcommands)


def main():
    host, port = sys.argv[1:]
    connection = redis.Redis(host=host, port=int(port), decode_responses=True).connection_pool.get_connection("")
    connection.send_command("COMMAND")
    commands = dict(sorted(rows(connection.read_response())))
    connection.send_command("INFO", "server")
    version = next(line.split(":")[1] for line in connection.read_response().splitlines() if line.startswith("redis_version"))
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in commands.items())
    print(f'{{"version": {json.dumps(version)}, "commands": {{\n{lines}\n}}}}')


if __name__ == "__main__":
    main()
