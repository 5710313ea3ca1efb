"""The node's own small JSON files. Loaded late."""

import json
import os


def read(path, otherwise):
    """JSON value of a file that the node wrote itself, or `otherwise` when there is none."""
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return otherwise


def write(path, value):
    """Replace a JSON file as a whole: after a power cut it holds the old value or the new one."""
    with open(path + ".new", "w") as file:
        json.dump(value, file)
    os.rename(path + ".new", path)


def keep(path, value):
    """write(), unless the file holds that value already: flash wears."""
    if read(path, None) != value:
        write(path, value)


def remember(node, seen):
    """Keep what was seen signed: epoch, revisions, command ids."""
    write(node.folder + "seen.json", seen)
    node.seen = seen
