"""Where a command's keys are (src/cache/commands/key_layout.h), from the key specifications of COMMAND."""
import collections

Layout = collections.namedtuple("Layout", "form first last step destination", defaults=("kNone", 0, 0, 1, "kNone"))

# What specifications cannot express, or only in part. The door reads these commands' options as Redis does.
BY_NAME = {
    "sort": Layout("kSort"), "sort_ro": Layout("kSort"),
    "georadius": Layout("kGeoRadius", 6), "georadiusbymember": Layout("kGeoRadius", 5),
    "xread": Layout("kStreams"), "xreadgroup": Layout("kStreams"),
}


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def flatten(spec):
    """('range', first, last, step) or ('keynum', place of the number); last as Layout has it."""
    spec = pairs(spec)
    begin, find = pairs(spec["begin_search"]), pairs(spec["find_keys"])
    if begin["type"] != "index" or "incomplete" in spec["flags"]:
        return None
    first, find_spec = pairs(begin["spec"])["index"], pairs(find["spec"])
    if find["type"] == "range" and find_spec["limit"] == 0:
        last = find_spec["lastkey"]
        return "range", first, last if last < 0 else first + last, find_spec["keystep"]
    if find["type"] == "keynum" and (find_spec["firstkey"], find_spec["keystep"]) == (1, 1):
        return "keynum", first + find_spec["keynumidx"]
    return None


def layout_of(name, specs):
    """None: its keys cannot be found, it must not be passed on."""
    if name in BY_NAME:
        return BY_NAME[name]
    flat = [flatten(spec) for spec in specs if "not_key" not in pairs(spec)["flags"]]
    if None in flat:
        return None
    if not flat:
        return Layout()
    if flat[-1][0] == "keynum":
        if len(flat) == 1:
            return Layout("kCounted", flat[0][1])
        return Layout("kCounted", flat[1][1], destination="kFirstArgument") if flat[0] == ("range", 1, 1, 1) else None
    # Ranges that follow each other are one.
    _, first, last, step = flat[0]
    for _, next_first, next_last, next_step in flat[1:]:
        if next_first != last + 1 or (step, next_step) != (1, 1):
            return None
        last = next_last
    return Layout("kRange", first, last, step)
